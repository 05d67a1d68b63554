"""How the obvious twin of the book cancels: one list of tombstones, looked through each time."""

from matching_worker.contracts import from_book
from matching_worker.contracts.to_book import CancelAfter


def whole(wide):
    """Read an amount of a message; -1 for what is none."""
    if isinstance(wide, int):
        return wide
    return int(wide) if wide.isascii() and wide.isdigit() and len(wide) <= 40 else -1


def wide(amount):
    return amount if amount < 2**63 else str(amount)


def owner(account):
    return f"risk:{account % 1024}"


SECOND = 10**9


class ObviousCancels:
    """The half of `ObviousBook` that ends orders without a trade."""

    # -- cancels

    def cancel(self, command, source, out):
        if self.at > command.deadline_ns:
            out.reply(source, from_book.CancelRefused(command.request, self.seq, "too_late"))
        elif isinstance(command, CancelAfter):
            self.set_switch(command, source, out)
        else:
            self.cancel_in_time(command, source, out)

    def cancel_in_time(self, command, source, out):
        for_all = not command.order_id and not command.client_id
        found = [r for r in self.all() if self.names(command, r["order"])]
        peer = owner(command.account)
        may_come = peer in self.partitions and self.partitions[peer][0] < command.up_to
        may_come = may_come and len(command.client_id) <= 36
        if found and not for_all:
            orders = [told for r in found for told in self.end_order(r, "canceled", "", out)]
            out.reply(source, from_book.CancelDone(command.request, self.seq, self.at, orders, 0))
            return
        mine = [t for t in self.tombs if t["account"] == command.account]
        is_room = (
            len(self.tombs) < self.limits.tombstones
            and len(mine) < self.limits.tombstones_per_account
        )
        if may_come and is_room:
            self.bury(command, source, owes=not found)
            if command.up_to > self.partitions[peer][1]:
                self.partitions[peer][1] = command.up_to
                out.send(peer, from_book.PassedAsk(command.up_to))
        if found:
            self.start_answered_job(command, source, found, out, whole=is_room or not may_come)
        elif not may_come:
            out.reply(source, from_book.CancelRefused(command.request, self.seq, "unknown_order"))
        elif not is_room:
            out.reply(source, from_book.CancelRefused(command.request, self.seq, "undecided"))

    @staticmethod
    def names(command, order):
        return (
            command.account == order.account
            and command.order_id in (0, order.order_id)
            and command.client_id in ("", order.client_id)
        )

    def bury(self, command, source, *, owes):
        self.tombs_ever += 1
        self.tombs.append(
            {
                "number": self.tombs_ever,
                "account": command.account,
                "command": command,
                "up_to": command.up_to,
                "source": source,
                "owes": owes,
                "expires": self.at + self.limits.undecided_ns,
                "met": [],
            }
        )

    def is_buried(self, order, out):
        """Refuse an order that a tombstone names, and answer who waited for it."""
        buried = False
        for tomb in self.tombs:
            if not self.names(tomb["command"], order) or order.command > tomb["up_to"]:
                continue
            buried = True
            if tomb["owes"]:
                tomb["met"].append(self.as_canceled(order, 0, 0))
                for_all = not tomb["command"].order_id and not tomb["command"].client_id
                if not for_all or len(tomb["met"]) == self.limits.orders_per_account:
                    self.answer(tomb, "undecided", out)
        return buried

    def answer(self, tomb, otherwise, out):
        if not tomb["owes"]:
            return
        request = tomb["command"].request
        if tomb["met"]:
            done = from_book.CancelDone(request, self.seq, self.at, tomb["met"], 0)
            out.reply(tomb["source"], done)
        else:
            out.reply(tomb["source"], from_book.CancelRefused(request, self.seq, otherwise))
        tomb["owes"] = False

    # -- mass cancels

    def start_answered_job(self, command, source, found, out, *, whole):
        named = sum(len(job["left"]) for job in self.jobs)
        if (
            len(self.jobs) >= self.limits.mass_cancels
            or named + len(found) > self.limits.mass_cancel_orders
        ):
            out.reply(source, from_book.CancelRefused(command.request, self.seq, "undecided"))
        else:
            self.add_job(found, "", source, command.request, whole)
            self.work(out)

    def end_all(self, found, code, out):
        """End these in a mass cancel that nobody is told of."""
        self.add_job(found, code)
        self.work(out)

    def add_job(self, found, code, source=None, request=0, whole=True):
        if found:
            self.jobs.append(
                {
                    "source": source,
                    "request": request,
                    "whole": whole,  # Nothing on its way can get past it.
                    "code": code,
                    "left": [r["order"].order_id for r in found],
                    "done": [],
                }
            )

    def work(self, out):
        while self.jobs and self.steps:
            job = self.jobs[0]
            while job["left"] and self.steps:
                self.steps -= 1
                one = self.find(job["left"].pop(0))
                if one is not None:
                    job["done"] += self.end_order(one, "canceled", job["code"], out)
            if job["left"]:
                return
            self.jobs.pop(0)
            if job["source"] is not None:
                self.tell(job, out)

    def tell(self, job, out):
        request, done = job["request"], job["done"]
        if done and job["whole"]:
            said = from_book.CancelDone(request, self.seq, self.at, done, 0)
        else:
            code = "unknown_order" if job["whole"] else "undecided"
            said = from_book.CancelRefused(request, self.seq, code)
        out.reply(job["source"], said)

    # -- cancels by themselves

    def set_switch(self, command, source, out):
        account, request = command.account, command.request
        is_new = account not in self.switches
        code = ""
        if command.delay_ns > 24 * 3_600 * SECOND:
            code = "bad_terms"
        elif command.delay_ns and is_new and len(self.switches) >= self.limits.switches:
            code = "undecided"
        if code:
            out.reply(source, from_book.CancelRefused(request, self.seq, code))
            return
        self.switches.pop(account, None)
        if command.delay_ns:
            self.switches[account] = self.at + command.delay_ns
        out.reply(source, from_book.AfterSet(request, self.seq, self.switches.get(account, 0)))

    def fire_switches(self):
        for account, due in sorted(self.switches.items(), key=lambda row: row[1]):
            if due <= self.at:
                del self.switches[account]
                found = [r for r in self.all() if r["order"].account == account]
                self.add_job(found, "cancel_after")

    def cancel_account(self, message, peer, out):
        if owner(message.account) != peer:
            out.events.append(from_book.CommandRefused(self.seq, "wrong_partition"))
            return
        found = [r for r in self.all() if r["order"].account == message.account]
        self.end_all(found, message.code, out)

    @staticmethod
    def as_canceled(order, filled, quote):
        return from_book.CanceledOrder(
            order_id=order.order_id,
            client_id=order.client_id,
            side=order.side,
            kind=order.kind,
            time_in_force=order.time_in_force,
            post_only=order.post_only,
            price_ticks=order.price_ticks,
            lots=order.lots,
            filled_lots=filled,
            cum_quote=wide(quote),
        )
