"""Books as real processes on a journal server of their own: to be killed, halted and damaged.

    with Books(tmp_path, cache_url=...) as books:
        btc = books.open("BTC-USDT")
        btc.start("a")
        btc.send(resting=3, crossing=2)      # one link frame of a partition; returns when decided
        btc.kill("a"); books.journal_server.kill(); books.journal_server.start()
        btc.health("a"), btc.log("a")

Orders come as a risk partition would send them: numbered link frames in a hash chain.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
import redis

from apps.common.redis_clients import journal_client
from apps.journals import atomic, directory, keys, wire
from apps.journals.contracts import FrameRefused, LinkAdd
from apps.journals.recovery import Blueprint, bring_up
from apps.journals.replay import replay_with
from matching_worker.codec import BOOK_CODEC
from matching_worker.contracts.from_book import BookEvent, Trade
from matching_worker.contracts.market import MarketStateSet
from matching_worker.contracts.to_book import HeldOrder, MarketDefine
from matching_worker.engine import BookMachine
from tests.helpers.ports import free_ports
from tests.helpers.toy_world import wait_until
from tests.helpers.trading_stage import SMALL_MARKET
from tests.helpers.valkey import LocalValkey

ROOT = Path(__file__).resolve().parents[2]
RISK = "risk:0"
NEVER = 2**62
OPERATOR = b"operator"
_events = msgspec.msgpack.Decoder(list[BookEvent | FrameRefused])


class BookProcesses:
    """One market: its two members, whoever sends it orders, and ways to look at its record."""

    def __init__(self, symbol: str, journal: Callable[[], redis.Redis], environ: Any) -> None:
        self.worker = keys.worker_of_market(symbol)
        self.symbol = symbol
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._journal = journal
        self._environ = environ
        self._var = Path(environ["FAIRBOOK_VAR"])
        self._ports: dict[str, int] = {}
        self._frames, self._hash, self.orders = 0, bytes(wire.HASH_BYTES), 0
        base, _, _ = symbol.partition("-")
        spec = msgspec.structs.replace(SMALL_MARKET, symbol=symbol, base=base)
        directory.found(journal(), self.worker, [MarketDefine(spec), LinkAdd(RISK)])
        opening = wire.CommandFrame(OPERATOR, 1, [MarketStateSet("trading", "a test")])
        journal().xadd(keys.commands(self.worker), {keys.FRAME_FIELD: wire.encode(opening)})

    @property
    def blueprint(self) -> Blueprint:
        return Blueprint(
            self.worker, BookMachine, BOOK_CODEC, self._var / "archive", self._var / "snapshots"
        )

    # -- its processes

    def start(self, member: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start a member; its log and its health are of its name."""
        (self._ports[member],) = free_ports(1)
        environ = self._environ | {"FAIRBOOK_SERVICE_PORT": str(self._ports[member])} | settings
        words = [sys.executable, "-m", "matching_worker"]
        with self._log_of(member).open("ab") as log:
            self.processes[member] = subprocess.Popen(
                [*words, "--market", self.symbol, "--member", member],
                cwd=ROOT, env=environ, stdout=log, stderr=log,
            )  # fmt: skip
        return self.processes[member]

    def kill(self, *members: str, with_signal: int = signal.SIGKILL) -> None:
        """End members (all that run, if none is named)."""
        for member in members or list(self.processes):
            process = self.processes.pop(member)
            process.send_signal(with_signal)
            process.wait(timeout=20)

    def health(self, member: str) -> dict[str, Any]:
        """Return what a member's health says; nothing while it does not answer."""
        url = f"http://127.0.0.1:{self._ports[member]}/health/ready"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.load(error))
        except OSError:
            return {}

    def log(self, member: str) -> list[dict[str, Any]]:
        """Return what a member has logged, oldest first."""
        lines = self._log_of(member).read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for_role(self, member: str, role: str) -> None:
        """Wait until a member is ready as owner or standby."""

        def claim() -> bool:
            health = self.health(member)
            return bool(health.get("status") == "ready" and health.get("role") == role)

        wait_until(claim, for_s=30, because=f"{member} of {self.symbol} is {role}")

    def _log_of(self, member: str) -> Path:
        return self._var / f"{self.symbol}-{member}.log"

    # -- who sends it orders

    def send(self, *, resting: int = 0, crossing: int = 0, wait: bool = True) -> int:
        """Send a frame of orders: asks of one lot at 100, then bids that take one each.

        Returns the frame's number. A frame whose fate is unknown is sent again by `append`.
        """
        orders = [self._order("S") for _ in range(resting)]
        orders += [self._order("B") for _ in range(crossing)]
        self._frames += 1
        frame = wire.encode(wire.LinkFrame((NEVER, 0), orders))
        self._hash = wire.link_hash(self._hash, number=self._frames, body=frame)
        self.append(self._frames, frame, self._hash)
        if wait:
            self.wait_for(self._frames)
        return self._frames

    def append(self, number: int, frame: bytes, hash_: bytes) -> None:
        """Write a link frame; one that is there already stays."""
        fields: dict[Any, Any] = {
            keys.FRAME_FIELD: frame,
            keys.LINK_HASH_FIELD: hash_,
            keys.RECEIPT_FIELD: bytes(wire.HASH_BYTES),
        }
        self._journal().xadd(keys.link(RISK, self.worker), fields, id=f"{number}-0")

    def wait_for(self, frame: int) -> None:
        """Wait until a frame was decided, and that is durable."""
        wait_until(lambda: self.taken() >= frame, for_s=30, because=f"frame {frame} is decided")

    def taken(self) -> int:
        """Return the last frame of the partition whose decision is durable."""
        raw: Any = self._journal().hget(keys.cursor(self.worker), keys.link(RISK, self.worker))
        return int((raw or b"0-0").partition(b"-")[0])

    def _order(self, side: Any) -> HeldOrder:
        self.orders += 1
        account = (1 if side == "S" else 2) * 1_024
        terms = (side, "L", "GTC", False, 100, 1, 0, NEVER, (self.orders, 0))
        return HeldOrder(self.orders * 1_024, 1, account, f"c{self.orders}", *terms)

    # -- its record

    def batch(self) -> int:
        """Return the last durable batch."""
        return atomic.read_cursor(self._journal(), self.worker).batch

    def state_hash(self) -> str:
        """Return the hash of the state that the record leads to, by the way a worker takes."""
        return bring_up(self.blueprint, self._journal()).state_hash().hex()

    def genesis_hash(self) -> str:
        """Return the hash that a replay from genesis leads to."""
        return replay_with(self.blueprint, self._journal()).state_hash.hex()

    def trades(self) -> list[tuple[int, int]]:
        """Return the buyer's and the seller's order of each trade on record, in order."""
        found: list[tuple[int, int]] = []
        history, after = self.blueprint.history(self._journal()), 0
        while batches := history.read(after=after):
            for batch in batches:
                events = _events.decode(batch.outputs) if batch.outputs else []
                found += [
                    (event.taker_order, event.maker_order)
                    for event in events
                    if isinstance(event, Trade)
                ]
            after = batches[-1].number
        return found


class Books:
    """Some books, their journal server, and one cache server for their heartbeats."""

    def __init__(
        self, folder: Path, *, cache_url: str, journal_dir: Path | None = None, **settings: str
    ) -> None:
        self.folder = folder
        self.journal_server = LocalValkey(journal_dir or folder / "valkey").start()
        self._environ = os.environ | {
            "JOURNAL_URL": self.journal_server.url,
            "REDIS_URL": cache_url,
            "FAIRBOOK_VAR": str(folder),
            "FAIRBOOK_ARCHIVE_DIR": str(folder / "archive"),
            "FAIRBOOK_SNAPSHOT_DIR": str(folder / "snapshots"),
            **settings,
        }
        self.markets: list[BookProcesses] = []
        self._client: redis.Redis | None = None

    @property
    def journal(self) -> redis.Redis:
        """Return a client of the journal server."""
        if self._client is None:
            self._client = journal_client(self.journal_server.url, socket_timeout=5)
        return self._client

    def open(self, symbol: str) -> BookProcesses:
        """Found one more market. Its processes are started by whoever tells the story."""
        market = BookProcesses(symbol, lambda: self.journal, self._environ)
        self.markets.append(market)
        return market

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for market in self.markets:
            for process in market.processes.values():
                process.send_signal(signal.SIGCONT)
            market.kill()
        self.journal_server.kill()
