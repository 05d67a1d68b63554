"""Risk partitions and one book in memory: the machines themselves, with no journals between them.

Everything that passes between workers goes through its bytes and its union type, as in a journal.
A step is one batch of one worker: links first (peers by name), then cancels, then commands. Nothing
is random and nothing reads a clock: who steps when, and how much it takes, the caller chooses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from apps.common.kernel.ids import BEFORE_ALL, StreamId, partition_of
from apps.journals.contracts import LinkAdd, RuntimeCommand
from apps.journals.keys import worker_of_market, worker_of_partition
from apps.journals.machine import Input, Machine, Origin, Outputs
from apps.risk.contracts.commands import MarketAdd, PartitionMessage, RiskCommand
from apps.risk.engine import RiskMachine
from matching_worker.contracts.from_book import ReportMessage
from matching_worker.contracts.market import MarketSpec, MarketState, MarketStateSet
from matching_worker.contracts.to_book import (
    BookCancel,
    BookCommand,
    CancelOrders,
    LinkMessage,
    MarketDefine,
)
from matching_worker.engine import BookMachine

START_NS = 1_700_000_000_000_000_000
EDGE = b"an edge."

_encode = msgspec.msgpack.Encoder().encode
_canonical = msgspec.msgpack.Encoder(order="sorted").encode


def through_bytes(messages: Sequence[msgspec.Struct], union: object) -> list[msgspec.Struct]:
    """Write messages as they travel, and read them as their reader does."""
    return [msgspec.msgpack.decode(_encode(message), type=union) for message in messages]


class Frame(msgspec.Struct):
    """Messages on their way to a worker."""

    origin: Origin
    messages: list[msgspec.Struct]


class PureWorker:
    """One state machine and what waits for it."""

    def __init__(self, name: str, machine: Machine, *, commands: object, links: object) -> None:
        self.name = name
        self.machine = machine
        self.command_type = commands
        self.link_type = links
        self.links: dict[str, deque[Frame]] = {}
        self.cancels: deque[Frame] = deque()
        self.commands: deque[Frame] = deque()
        self.last_entry: StreamId = BEFORE_ALL
        self.passed: StreamId = BEFORE_ALL
        self.batches = 0
        self.hash = bytes(32)
        self.events: list[msgspec.Struct] = []
        self.told: list[Frame] = []  # Everything the machine was given, in order, for its twin.

    def waiting(self) -> int:
        """Count the frames that wait."""
        links = sum(len(frames) for frames in self.links.values())
        return links + len(self.cancels) + len(self.commands)

    def state_bytes(self) -> bytes:
        """Return the machine's state as its hash sees it."""
        return _canonical(self.machine.dump())

    def take(self, most: int) -> list[Frame]:
        """Take up to `most` frames: links by peer, then cancels, then commands."""
        taken: list[Frame] = []
        for queue in (
            *(self.links[peer] for peer in sorted(self.links)),
            self.cancels,
            self.commands,
        ):
            while queue and len(taken) < most:
                taken.append(queue.popleft())
        return taken


class PureExchange:
    """Some partitions, one book, and all that is on its way between them."""

    def __init__(
        self, spec: MarketSpec, *, partitions: int = 1, state: MarketState = "trading"
    ) -> None:
        self.spec = spec
        self.now_ns = START_NS
        self.requests = 0
        self.replies: dict[int, list[msgspec.Struct]] = {}
        self.risks = [self._risk(number) for number in range(partitions)]
        self.book = self._book()
        self.workers = {worker.name: worker for worker in (self.book, *self.risks)}
        for risk in self.risks:
            self.ask(risk, self._configuration(risk))
        self.settle()
        self.ask(self.book, [MarketStateSet(state, "opened by the test")])
        self.settle()

    def _risk(self, number: int) -> PureWorker:
        return PureWorker(
            worker_of_partition(number),
            RiskMachine(number),
            commands=RiskCommand | RuntimeCommand,
            links=ReportMessage | PartitionMessage,
        )

    def _book(self) -> PureWorker:
        machine = BookMachine()
        machine.configure([MarketDefine(self.spec), *(LinkAdd(risk.name) for risk in self.risks)])
        return PureWorker(
            worker_of_market(self.spec.symbol),
            machine,
            commands=BookCommand | BookCancel | RuntimeCommand,
            links=LinkMessage,
        )

    def _configuration(self, risk: PureWorker) -> list[msgspec.Struct]:
        others = [LinkAdd(other.name) for other in self.risks if other is not risk]
        return [*others, LinkAdd(self.book.name), MarketAdd(self.spec)]

    # ── What comes from outside ─────────────────────────────────────────────────────────────────

    def next_request(self) -> int:
        """Return the number of the next answer that someone waits for."""
        self.requests += 1
        return self.requests

    def risk_of(self, account: int) -> PureWorker:
        """Return the partition of an account."""
        return self.risks[partition_of(account)]

    def ask(self, worker: PureWorker, commands: Sequence[msgspec.Struct]) -> StreamId:
        """Append one frame to a worker's commands; return its entry id."""
        worker.last_entry = (self.now_ns // 1_000_000, worker.last_entry[1] + 1)
        origin = Origin(Input.COMMANDS, worker.last_entry, EDGE, "", BEFORE_ALL, b"")
        worker.commands.append(Frame(origin, through_bytes(commands, worker.command_type)))
        return worker.last_entry

    def cancel(self, account: int, *, client_id: str = "", order_id: int = 0) -> int:
        """Cancel one order, or all of an account's, as an edge does; return the request."""
        request = self.next_request()
        up_to = self.risk_of(account).last_entry
        command = CancelOrders(
            request, account, order_id, client_id, up_to, self.now_ns + 5_000_000_000
        )
        entry = (self.now_ns // 1_000_000, request)
        origin = Origin(Input.CANCELS, entry, EDGE, "", BEFORE_ALL, b"")
        self.book.cancels.append(Frame(origin, through_bytes([command], BookCancel)))
        return request

    # ── What the runtime does ───────────────────────────────────────────────────────────────────

    def step(self, worker: PureWorker, *, most: int = 1_000) -> Outputs:
        """Run one batch of a worker on what waits for it, and carry its outputs on."""
        out = Outputs()
        machine = worker.machine
        machine.begin(self.now_ns, out)
        for frame in worker.take(most):
            if frame.origin.kind is Input.COMMANDS:
                worker.passed = frame.origin.entry
            worker.told.append(frame)
            machine.apply(frame.origin, frame.messages, self.now_ns, out)
        machine.end(self.now_ns, worker.passed, out)
        self._carry(worker, out)
        return out

    def _carry(self, worker: PureWorker, out: Outputs) -> None:
        worker.batches += 1
        said = [out.events, sorted((peer, sent) for peer, sent in out.links.items())]
        worker.hash = sha256(worker.hash + _encode(said)).digest()
        worker.events += out.events
        for peer, messages in out.links.items():
            reader = self.workers[peer]
            origin = Origin(
                Input.LINK, (worker.batches, 0), b"", worker.name, worker.passed, worker.hash
            )
            frame = Frame(origin, through_bytes(messages, reader.link_type))
            reader.links.setdefault(worker.name, deque()).append(frame)
        for source, replies in out.replies.items():
            assert source == EDGE
            for reply in replies:
                self.replies.setdefault(reply.request, []).append(reply)  # type: ignore[attr-defined]

    def settle(self) -> None:
        """Step everyone until nothing waits."""
        while any(worker.waiting() for worker in self.workers.values()):
            for worker in self.workers.values():
                if worker.waiting():
                    self.step(worker)

    def pass_time(self, seconds: float) -> None:
        """Let time go by; every worker whose timer is due has a batch."""
        self.now_ns += int(seconds * 1_000_000_000)
        for worker in self.workers.values():
            due_ns = worker.machine.due_ns()
            if due_ns is not None and due_ns <= self.now_ns:
                self.step(worker)
        self.settle()

    def restart(self, worker: PureWorker) -> None:
        """Replace a machine by one that was loaded from its state, as a restart does."""
        before = worker.state_bytes()
        fresh: Machine = (
            BookMachine() if worker is self.book else RiskMachine(self.risks.index(worker))
        )
        fresh.load(msgspec.msgpack.decode(before))
        fresh.check()
        worker.machine = fresh
        assert worker.state_bytes() == before, f"{worker.name} loads as it was saved"

    def check(self) -> None:
        """Check every worker's beliefs."""
        for worker in self.workers.values():
            worker.machine.check()
