"""`kill -9` under 50 orders a second: nothing lost or doubled, and soon trading again.

Each story runs a steady load, kills one process at a moment that the seed chooses, and lets the
client's own history say what happened. `make test` kills each kind once, `make chaos` ten times.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.helpers.dialect_client import Keys
from tests.helpers.history import Load
from tests.helpers.stack import Stack

RATE = 50.0
BEFORE_S, AFTER_S = 2.0, 12.0  # After the fault, at most.
AGAIN_S = 5.0  # So long it goes on once it trades again: who was killed is back by then.
SYMBOLS = ("BTCUSDT", "ETHUSDT")
PRICES = {"BTCUSDT": "50000.00", "ETHUSDT": "3000.00"}

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Fault:
    """What is hit, how long trading may need afterwards, and which market must not notice."""

    name: str
    victims: tuple[str, ...]
    within_s: float
    undisturbed: str | None = None


FAULTS = (
    Fault("book", ("book-BTC-USDT-a", "book-BTC-USDT-b"), 5, undisturbed="ETHUSDT"),
    Fault("risk", ("risk-0-a", "risk-0-b"), 5),
    Fault("edge-1", ("edge-1",), 10),
    Fault("edge-2", ("edge-2",), 10),
    Fault("celery", ("celery-settlement-1",), 10),
    Fault("journal", ("journal",), 10),
    Fault("cache", ("cache",), 10),
    Fault("postgres", ("postgres",), 10),
)


def owner_of(stack: Stack, fault: Fault) -> str:
    """Return the member that owns now; a kind with one process has no choice."""
    if len(fault.victims) == 1:
        return fault.victims[0]
    rows = stack.services()
    return next(name for name in fault.victims if rows[name]["role"] == "owner")


def epochs(stack: Stack) -> dict[str, int]:
    """Return each worker's epoch, by its owner's process."""
    return {
        row["shard"]: row["epoch"] for row in stack.services().values() if row["role"] == "owner"
    }


async def under_load(
    stack: Stack,
    traders: list[Keys],
    seed: int,
    strike: Callable[[], Awaitable[None]],
) -> tuple[Load, float]:
    """Trade, strike when the seed says, trade on; return the load and the moment."""
    async with Load(
        [stack.edge_url(1), stack.edge_url(2)], traders, seed=seed, symbols=SYMBOLS
    ) as load:
        load.at_prices(PRICES)
        struck_at = float("inf")

        def trades_again() -> bool:
            if time.time() < struck_at + AGAIN_S:
                return False
            return (
                time.time() > struck_at + load.history.recovery_s(struck_at, SYMBOLS[0]) + AGAIN_S
            )

        running = asyncio.create_task(
            load.run(rate=RATE, seconds=BEFORE_S + AFTER_S, enough=trades_again)
        )
        await asyncio.sleep(BEFORE_S * random.Random(seed).uniform(0.5, 1.0))
        struck_at = time.time()
        await strike()
        await running
        print(dict(load.history.answers()))
        left_unknown = await load.settle_unknowns()
        assert left_unknown == 0, "every order's fate can be read by its client id"
        await everything_is_booked(stack)
        wrongs = await load.wrongs()
        assert wrongs == [], wrongs[:5]
    return load, struck_at


async def everything_is_booked(stack: Stack) -> None:
    """Wait until settlement has caught up, so that history is whole."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        done = await asyncio.to_thread(stack.manage, "verify", "--json")
        if done.returncode == 0:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(done.stdout + done.stderr)


async def kill_once(stack: Stack, fault: Fault, traders: list[Keys], seed: int) -> None:
    victim = owner_of(stack, fault)
    before = epochs(stack)

    async def strike() -> None:
        stack.kill(victim)

    load, struck_at = await under_load(stack, traders, seed, strike)

    took = load.history.recovery_s(struck_at, "BTCUSDT")
    print(f"{fault.name}: killed {victim}, trading again after {took:.2f} s")
    assert took <= fault.within_s
    if fault.undisturbed:
        gap = load.history.longest_gap(
            fault.undisturbed, start=struck_at - 1, end=struck_at + fault.within_s
        )
        print(f"{fault.name}: longest gap on {fault.undisturbed} {gap:.2f} s")
        assert gap <= 1.0
    await asyncio.to_thread(stack.wait_ready)
    if fault.name == "cache":
        assert epochs(stack) == before, "killing the cache changes no owner"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_killed_process_loses_nothing_and_trading_goes_on(victim, traders, seed, fault):
    asyncio.run(kill_once(victim, fault, traders, seed))


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("turn", range(10))
def test_ten_times_each(victim, traders, seed, fault, turn):
    asyncio.run(kill_once(victim, fault, traders, seed + turn))


def test_a_risk_engine_that_stood_still_doubles_nothing(victim, traders, seed):
    """Its standby takes over meanwhile; woken up, the old owner fails to write and starts again."""
    fault = next(fault for fault in FAULTS if fault.name == "risk")
    sleeper = owner_of(victim, fault)

    async def strike() -> None:
        pid = victim.kill(sleeper, signal=signal.SIGSTOP)
        await asyncio.sleep(3)
        victim.kill(sleeper, signal=signal.SIGCONT)
        assert pid > 0

    asyncio.run(under_load(victim, traders, seed, strike))

    victim.wait_ready()
    assert json.loads(victim.manage("verify", "--json").stdout)["ok"]
