"""How the obvious twin of a partition moves value other than by fills."""

from apps.risk.contracts import commands as c


class ObviousValue:
    """The half of `ObviousPartition` that deposits, withdraws and transfers."""

    def moved(self, kind, account, asset, amount, against, reference):
        self.facts.append(("reference", kind, reference))
        self.facts.append(("move", account, asset, amount))
        self.facts.append(("house", against, asset, -amount))
        return [f"moved {kind} {account} {asset} {amount}"]

    def taken(self, kind, reference):
        return ("reference", kind, reference) in self.facts

    def on_deposit(self, m, _at):
        if not self.has_account(m.account):
            return ["no unknown_account"]
        if self.taken("deposit", m.reference):
            return ["no repeated"]
        return self.moved("deposit", m.account, m.asset, int(m.amount), "external", m.reference)

    def on_adjustment(self, m, _at):
        if self.available(m.account, m.asset) + int(m.amount) < 0:
            return ["no insufficient_funds"]
        if self.taken("adjustment", m.reference):
            return ["no repeated"]
        return self.moved("adjustment", m.account, m.asset, int(m.amount), "house", m.reference)

    def on_withdrawal_hold(self, m, _at):
        if self.last("frozen", m.account, False):
            return ["no account_frozen"]
        if self.available(m.account, m.asset) < int(m.amount):
            return ["no insufficient_funds"]
        if self.taken("withdrawal", m.reference):
            return ["no repeated"]
        self.facts.append(("reference", "withdrawal", m.reference))
        self.facts.append(("withdrawal", m.reference, m.account, m.asset, int(m.amount)))
        return [f"held {m.account} {m.asset} {m.amount}"]

    def end_withdrawal(self, m):
        if ("withdrawal ended", m.reference) in self.facts:
            return "no repeated", None  # Whoever asks.
        found = [f for f in self.facts if f[:3] == ("withdrawal", m.reference, m.account)]
        if not found:
            return "no unknown_withdrawal", None
        self.facts.append(("withdrawal ended", m.reference))
        return "", found[0]

    def on_withdrawal_settle(self, m, _at):
        refused, found = self.end_withdrawal(m)
        if refused:
            return [refused]
        _, reference, account, asset, amount = found
        return self.moved("withdrawal", account, asset, -amount, "external", reference)

    def on_withdrawal_release(self, m, _at):
        refused, found = self.end_withdrawal(m)
        return [refused] if refused else [f"freed {found[2]} {found[3]} {found[4]}"]

    def on_transfer(self, m, _at):
        amount = int(m.amount)
        inside = m.payee % 1024 == self.number
        if self.last("frozen", m.payer, False):
            return ["no account_frozen"]
        if self.available(m.payer, m.asset) < amount:
            return ["no insufficient_funds"]
        if m.payer == m.payee:
            return ["no same_account"]
        if inside and not self.has_account(m.payee):
            return ["no unknown_account"]
        if self.taken("transfer_out", m.reference):
            return ["no repeated"]
        if not inside:
            lines = self.moved("transfer_out", m.payer, m.asset, -amount, "transit", m.reference)
            return [*lines, f"sent {m.reference}"]
        self.facts.append(("move", m.payee, m.asset, amount))
        self.facts.append(("house", "none", m.asset, -amount))
        return self.moved("transfer_out", m.payer, m.asset, -amount, "none", m.reference)

    def on_transfer_in(self, m, at):
        self.on_account_open(c.AccountOpen(m.payee), at)
        return self.moved("transfer_in", m.payee, m.asset, int(m.amount), "transit", m.reference)
