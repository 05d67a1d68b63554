"""LG4: whoever comes first gets the money, and nobody else. A hundred ask, a hundred times."""

from random import Random

import pytest

from apps.risk.contracts.commands import Transfer, WithdrawalHold
from apps.risk.contracts.events import CommandRefused, OrderAccepted, OrderRefused
from tests.helpers.trading_stage import Stage

SPENDERS = 100
ROUNDS = 100


def spends(stage, alice, bob, chance):
    """Return a hundred different ways to spend all of Alice's 1,000 USDT."""
    for number in range(SPENDERS):
        match number % 4:
            case 0:
                yield alice.order(lots=10, price_ticks=100)
            case 1:
                yield alice.order(
                    kind="M", time_in_force="IOC", price_ticks=0, lots=0, quote_budget=1_000
                )
            case 2:
                yield WithdrawalHold(alice.account, "USDT", 1_000, f"w{number}-{chance.random()}")
            case _:
                reference = f"t{number}-{chance.random()}"
                yield Transfer(alice.account, bob.account, "USDT", 1_000, reference)


@pytest.mark.parametrize("partitions", [1, 2])
def test_of_a_hundred_who_spend_one_balance_at_once_exactly_one_wins(partitions):
    chance = Random(2024)
    for number in range(ROUNDS // partitions):
        stage = Stage(partitions=partitions)
        alice = stage.trader("alice", usdt=1_000)
        bob = stage.trader("bob", partition=partitions - 1)
        commands = list(spends(stage, alice, bob, chance))
        chance.shuffle(commands)
        seen = len(alice.risk.events)
        while commands:  # In frames of several sizes, taken by batches of several sizes.
            size = chance.randint(1, 30)
            stage.ask(alice.risk, commands[:size])
            del commands[:size]
        while alice.risk.commands:
            stage.step(alice.risk, most=chance.randint(1, 4))

        events = alice.risk.events[seen:]
        refused = [e for e in events if isinstance(e, OrderRefused | CommandRefused)]
        assert len(refused) == SPENDERS - 1, f"round {number}"
        assert {event.code for event in refused} == {"insufficient_funds"}
        assert sum(isinstance(event, OrderAccepted) for event in events) <= 1
        assert alice.available() == 0
        stage.settle()
        stage.check()
