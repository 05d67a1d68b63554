"""A toy worker: counters that add, echo, tick and, when told to, break.

It sees what any machine sees: commands, cancels, link messages, timers, rules. `python -m
tests.helpers.toy_machine --worker book:TOY --member a` runs it as a process of its own.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from apps.common.kernel.ids import BEFORE_ALL, StreamId
from apps.common.kernel.invariants import ensure
from apps.journals.contracts import LinkAdd, RulesSet, SkipCommand
from apps.journals.machine import Input, Origin, Outputs
from apps.journals.replica import Codec

TICK_NS = 10 * 10**9


class Add(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="add.v1"):
    """Add to a counter, answer with its new value, and tell all peers if asked."""

    request: int
    name: str
    amount: int
    tell: bool = False


class Break(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="break.v1"):
    """Break a belief of the machine (`how` = "belief") or its process ("death", "hang")."""

    how: str


class Forget(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="forget.v1"):
    """A toy's cancel: set a counter to nothing."""

    name: str


class Told(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="told.v1"):
    """What one toy tells another: a counter's value."""

    name: str
    value: int


class ToldBadly(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="told_badly.v1"):
    """A link message that breaks a belief of whoever hears it."""


class Counted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="counted.v1"):
    """The event of every change, and the answer to `Add`."""

    request: int
    name: str
    value: int
    seq: int


class Ticked(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="ticked.v1"):
    """The toy's timer went off."""

    at_ns: int


TOY_CODEC = Codec(commands=Add | Break, links=Told | ToldBadly, cancels=Forget)
ToyEvent = Counted | Ticked


class ToyMachine:
    """Counters by name. Rules 2 count double."""

    def __init__(self, tick_ns: int = TICK_NS) -> None:
        self.seq = 0
        self.rules = 1
        self.counters: dict[str, int] = {}
        self.heard: dict[str, StreamId] = {}  # Peer → how far it has read its own commands.
        self.peers: set[str] = set()
        self.tick_ns = tick_ns
        self.next_tick_ns = 0
        self.told: list[Told] = []

    def configure(self, commands: Sequence[msgspec.Struct]) -> None:
        for command in commands:
            if isinstance(command, LinkAdd):
                self.peers.add(command.peer)

    def begin(self, at_ns: int, out: Outputs) -> None:
        if self.next_tick_ns and at_ns >= self.next_tick_ns:
            self.next_tick_ns = 0
            out.events.append(Ticked(at_ns))

    def apply(
        self, origin: Origin, commands: Sequence[msgspec.Struct], at_ns: int, out: Outputs
    ) -> None:
        if origin.kind is Input.LINK:
            self.heard[origin.peer] = max(self.heard.get(origin.peer, BEFORE_ALL), origin.passed)
        for command in commands:
            self.seq += 1
            self._apply_one(origin, command, at_ns, out)

    def _apply_one(self, origin: Origin, command: Any, at_ns: int, out: Outputs) -> None:
        match command:
            case Add(request=request, name=name, amount=amount):
                value = self.counters.get(name, 0) + amount * self.rules
                self.counters[name] = value
                out.events.append(Counted(request, name, value, self.seq))
                out.reply(origin.source, Counted(request, name, value, self.seq))
                self.next_tick_ns = self.next_tick_ns or at_ns + self.tick_ns
                if command.tell:
                    self.told.append(Told(name, value))
            case Forget(name=name):
                self.counters.pop(name, None)
            case Told(name=name, value=value):
                self.counters[f"{origin.peer}/{name}"] = value
                out.events.append(Counted(0, name, value, self.seq))
            case LinkAdd(peer=peer):
                self.peers.add(peer)
            case Break(how=how):
                self._break(how)
            case ToldBadly():
                ensure(False, "a toy believes what it is told")
            case RulesSet() | SkipCommand():
                pass

    def _break(self, how: str) -> None:
        ensure(how != "belief", "a toy does not break")
        if how == "death":
            os._exit(9)
        if how == "hang":
            time.sleep(600)

    def end(self, at_ns: int, passed: StreamId, out: Outputs) -> None:
        for peer in sorted(self.peers) if self.told else ():
            for message in self.told:
                out.send(peer, message)
        self.told = []

    def due_ns(self) -> int | None:
        return self.next_tick_ns or None

    def set_rules(self, number: int) -> None:
        ensure(number <= 2, "this build knows the rules it is told to follow")
        self.rules = number

    def dump(self) -> object:
        return {
            "seq": self.seq,
            "rules": self.rules,
            "counters": self.counters,
            "heard": {peer: list(entry) for peer, entry in self.heard.items()},
            "peers": sorted(self.peers),
            "next_tick_ns": self.next_tick_ns,
        }

    def load(self, state: Any) -> None:
        self.seq, self.rules = state["seq"], state["rules"]
        self.counters, self.peers = state["counters"], set(state["peers"])
        self.heard = {peer: (high, low) for peer, (high, low) in state["heard"].items()}
        self.next_tick_ns = state["next_tick_ns"]

    def check(self) -> None:
        ensure(self.seq >= 0, "a toy counts up")


def main() -> None:
    """Run a toy worker as `matching_worker` runs a book."""
    from apps.journals import process

    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", required=True)
    parser.add_argument("--member", default="a")
    chosen = parser.parse_args()
    sys.exit(
        process.run(
            worker=chosen.worker, member=chosen.member, make_machine=ToyMachine, codec=TOY_CODEC
        )
    )


if __name__ == "__main__":
    main()
