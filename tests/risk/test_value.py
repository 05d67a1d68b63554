"""Deposits, withdrawals, transfers and corrections: each reference moves value once."""

import pytest

from apps.common.kernel.ids import numbered_in
from apps.journals.contracts import LinkAdd
from apps.risk.contracts.commands import (
    AccountFreeze,
    AccountOpen,
    Adjustment,
    Deposit,
    MarketAdd,
    Transfer,
    WithdrawalHold,
    WithdrawalRelease,
    WithdrawalSettle,
)
from apps.risk.contracts.events import BalanceNow, CommandRefused, ValueMoved, WithdrawalHeld
from apps.risk.engine import limits
from tests.helpers.trading_stage import SMALL_MARKET, Stage


def house(stage, kind, asset="USDT", partition=0) -> int:
    return stage.risks[partition].machine.house[kind].get(asset, 0)


def refused(events) -> str:
    """Return the code of a refusal, which is all that happened."""
    (event,) = events
    assert isinstance(event, CommandRefused)
    return event.code


def test_a_deposit_comes_from_outside(stage):
    alice = stage.trader("alice")

    moved, balance = stage.does(alice.risk, Deposit(alice.account, "USDT", 500, "tx-1"))

    assert isinstance(moved, ValueMoved)
    assert (moved.kind, moved.amount, moved.reference) == ("deposit", 500, "tx-1")
    assert balance == BalanceNow(alice.account, "USDT", 500, 0)
    assert house(stage, "external") == -500


def test_the_same_reference_again_moves_nothing(stage):
    alice = stage.trader("alice")
    stage.does(alice.risk, Deposit(alice.account, "USDT", 500, "tx-1"))

    again = stage.does(alice.risk, Deposit(alice.account, "USDT", 700, "tx-1"))
    of_another_kind = stage.does(alice.risk, Adjustment(alice.account, "USDT", 1, "tx-1", "a gift"))

    assert refused(again) == "repeated"
    assert isinstance(of_another_kind[0], ValueMoved)
    assert alice.has() == 501


def test_a_reference_is_known_for_seven_days(stage):
    alice = stage.trader("alice")
    stage.does(alice.risk, Deposit(alice.account, "USDT", 500, "tx-1"))
    stage.pass_time(7 * 24 * 3600)
    before = stage.does(alice.risk, Deposit(alice.account, "USDT", 500, "tx-1"))

    stage.pass_time(1)
    stage.does(alice.risk, AccountOpen(alice.account))

    assert refused(before) == "repeated"
    assert not stage.risks[0].machine.references.known


def test_a_full_window_forgets_its_oldest_but_none_under_a_day(stage, monkeypatch):
    monkeypatch.setattr(limits, "REFERENCES_MAX", 1)
    alice = stage.trader("alice", usdt=500)

    too_young = stage.does(alice.risk, Deposit(alice.account, "USDT", 1, "tx-1"))
    stage.pass_time(24 * 3600 + 1)
    taken = stage.does(alice.risk, Deposit(alice.account, "USDT", 1, "tx-1"))

    assert refused(too_young) == "too_many_references"
    assert isinstance(taken[0], ValueMoved)


@pytest.mark.parametrize("amount", [0, -1, "-5", "0", "x", "1e5", "9" * 39, "٣"])
def test_an_amount_is_a_positive_whole_number(stage, amount):
    alice = stage.trader("alice")

    assert (
        refused(stage.does(alice.risk, Deposit(alice.account, "USDT", amount, "r"))) == "bad_amount"
    )


def test_amounts_beyond_64_bits_are_exact(stage):
    alice = stage.trader("alice")
    wei = str(10**30 + 1)

    _, balance = stage.does(alice.risk, Deposit(alice.account, "ETH", wei, "tx-1"))
    stage.restart(stage.risks[0])
    stage.does(alice.risk, WithdrawalHold(alice.account, "ETH", wei, "w-1"))

    assert balance.total == wei
    assert (alice.has("ETH"), alice.held("ETH")) == (10**30 + 1, 10**30 + 1)


def test_a_balance_never_grows_beyond_what_the_ledger_can_hold(stage):
    alice = stage.trader("alice")
    stage.does(alice.risk, Deposit(alice.account, "ETH", str(limits.AMOUNT_MAX), "tx-1"))

    assert refused(stage.does(alice.risk, Deposit(alice.account, "ETH", 1, "tx-2"))) == "bad_amount"


def test_a_withdrawal_is_held_then_leaves(stage):
    alice = stage.trader("alice", usdt=500)

    held = stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 300, "w-1"))
    between = (alice.has(), alice.held())
    settled = stage.does(alice.risk, WithdrawalSettle(alice.account, "w-1"))

    assert isinstance(held[0], WithdrawalHeld)
    assert between == (500, 300)
    assert (settled[0].kind, settled[0].amount) == ("withdrawal", -300)
    assert (alice.has(), alice.held()) == (200, 0)
    assert house(stage, "external") == -200


def test_a_withdrawal_that_will_not_happen_is_released(stage):
    alice = stage.trader("alice", usdt=500)
    stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 300, "w-1"))

    released, _ = stage.does(alice.risk, WithdrawalRelease(alice.account, "w-1"))

    assert (released.released, released.amount) == (True, 300)
    assert (alice.has(), alice.held()) == (500, 0)


def test_a_withdrawal_ends_once(stage):
    alice = stage.trader("alice", usdt=500)
    bob = stage.trader("bob", usdt=500)
    stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 300, "w-1"))

    of_another = stage.does(bob.risk, WithdrawalSettle(bob.account, "w-1"))
    held_again = stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 100, "w-1"))
    stage.does(alice.risk, WithdrawalSettle(alice.account, "w-1"))
    again = stage.does(alice.risk, WithdrawalSettle(alice.account, "w-1"))
    then_released = stage.does(alice.risk, WithdrawalRelease(alice.account, "w-1"))
    never_held = stage.does(alice.risk, WithdrawalSettle(alice.account, "w-2"))

    assert refused(of_another) == "unknown_withdrawal"
    assert [refused(events) for events in (held_again, again, then_released)] == ["repeated"] * 3
    assert refused(never_held) == "unknown_withdrawal"
    assert alice.has() == 200


def test_a_withdrawals_reference_is_known_while_it_is_pending_and_ages_when_it_ended(stage):
    alice = stage.trader("alice", usdt=500)
    known = stage.risks[0].machine.references.known
    stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 300, "w-1"))
    stage.pass_time(30 * 24 * 3600)
    stage.does(alice.risk, AccountOpen(alice.account))
    while_pending = set(known)

    stage.does(alice.risk, WithdrawalSettle(alice.account, "w-1"))
    stage.pass_time(7 * 24 * 3600 + 1)
    stage.does(alice.risk, AccountOpen(alice.account))

    assert while_pending == {"withdrawal/w-1"}
    assert known == set()


def test_what_an_order_holds_cannot_be_withdrawn(stage):
    alice = stage.trader("alice", usdt=500)
    alice.buys(lots=4, at=100)

    assert refused(stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 101, "w-1"))) == (
        "insufficient_funds"
    )
    assert isinstance(
        stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 100, "w-2"))[0], WithdrawalHeld
    )


def test_a_frozen_account_neither_withdraws_nor_pays_but_may_receive(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", usdt=500)
    stage.does(alice.risk, AccountFreeze(alice.account, frozen=True, reason="a court asked"))

    withdrawal = stage.does(alice.risk, WithdrawalHold(alice.account, "USDT", 1, "w-1"))
    payment = stage.does(alice.risk, Transfer(alice.account, bob.account, "USDT", 1, "t-1"))
    alice.deposits(1, "USDT")
    stage.does(alice.risk, Transfer(bob.account, alice.account, "USDT", 1, "t-2"))

    assert [refused(withdrawal), refused(payment)] == ["account_frozen"] * 2
    assert alice.has() == 502


def test_a_transfer_inside_a_partition_is_one_movement(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob")

    events = stage.does(alice.risk, Transfer(alice.account, bob.account, "USDT", 200, "t-1"))

    (moved,) = (event for event in events if isinstance(event, ValueMoved))
    assert (moved.kind, moved.account, moved.other) == ("transfer_out", alice.account, bob.account)
    assert (alice.has(), bob.has()) == (300, 200)
    assert house(stage, "transit") == 0


def test_a_transfer_between_partitions_passes_through_transit():
    stage = Stage(partitions=2)
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", partition=1)
    stage.ask(alice.risk, [Transfer(alice.account, bob.account, "USDT", 200, "t-1")])

    stage.step(stage.risks[0])
    on_its_way = (alice.has(), bob.has(), house(stage, "transit"))
    stage.settle()

    assert on_its_way == (300, 0, 200)
    assert (alice.has(), bob.has()) == (300, 200)
    assert house(stage, "transit") + house(stage, "transit", partition=1) == 0
    received = [event for event in bob.risk.events if isinstance(event, ValueMoved)]
    assert (received[0].kind, received[0].other) == ("transfer_in", alice.account)


def test_a_payee_that_was_never_opened_is_opened_by_what_arrives():
    stage = Stage(partitions=2)
    alice = stage.trader("alice", usdt=500)
    unknown = numbered_in(1, counter=77)

    stage.does(alice.risk, Transfer(alice.account, unknown, "USDT", 200, "t-1"))

    assert stage.risks[1].machine.accounts[unknown].balances["USDT"].total == 200


def test_a_transfer_that_makes_no_sense_is_refused(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob")

    def transfer(payer, payee, amount):
        return refused(stage.does(alice.risk, Transfer(payer, payee, "USDT", amount, "t-1")))

    assert transfer(alice.account, alice.account, 1) == "same_account"
    assert transfer(alice.account, bob.account, 501) == "insufficient_funds"
    assert transfer(alice.account, numbered_in(0, counter=99), 1) == "unknown_account"
    assert transfer(alice.account, numbered_in(5, counter=1), 1) == "no_link"
    assert alice.has() == 500


def test_a_correction_goes_against_the_house_and_never_below_what_is_held(stage):
    alice = stage.trader("alice", usdt=500)
    alice.buys(lots=4, at=100)

    too_much = stage.does(alice.risk, Adjustment(alice.account, "USDT", -101, "a-1", "an error"))
    just_so = stage.does(alice.risk, Adjustment(alice.account, "USDT", -100, "a-2", "an error"))
    credit = stage.does(alice.risk, Adjustment(alice.account, "USDT", 7, "a-3", "an apology"))
    nothing = stage.does(alice.risk, Adjustment(alice.account, "USDT", 0, "a-4", "nothing"))

    assert refused(too_much) == "insufficient_funds"
    assert just_so[0].amount == -100
    assert credit[0].amount == 7
    assert refused(nothing) == "bad_amount"
    assert (alice.has(), house(stage, "house")) == (407, 93)


def test_nothing_moves_for_an_account_that_is_not_known(stage):
    nobody = numbered_in(0, counter=99)

    for command in (
        Deposit(nobody, "USDT", 1, "r"),
        WithdrawalHold(nobody, "USDT", 1, "r"),
        Adjustment(nobody, "USDT", 1, "r", "why"),
        Adjustment(nobody, "USDT", -1, "r", "why"),
        Transfer(nobody, 1024, "USDT", 1, "r"),
        AccountFreeze(nobody, frozen=True, reason="why"),
    ):
        assert refused(stage.does(stage.risks[0], command)) == "unknown_account"


def test_containers_have_an_end(stage, monkeypatch):
    alice = stage.trader("alice", usdt=500)
    for name in ("ACCOUNTS_MAX", "MARKETS_MAX", "LINKS_MAX"):
        monkeypatch.setattr(f"apps.risk.engine.configuration.{name}", 1)
    monkeypatch.setattr("apps.risk.engine.value.WITHDRAWALS_MAX", 0)
    monkeypatch.setattr(limits, "ASSETS_MAX", 2)
    risk = alice.risk
    another = SMALL_MARKET.__class__(
        **{
            name: getattr(SMALL_MARKET, name)
            for name in SMALL_MARKET.__struct_fields__
            if name != "symbol"
        },
        symbol="ETH-USDT",
    )

    account = numbered_in(0, counter=99)
    assert refused(stage.does(risk, AccountOpen(account))) == "too_many_accounts"
    assert refused(stage.does(risk, AccountOpen(numbered_in(3, counter=1)))) == "wrong_partition"
    assert refused(stage.does(risk, LinkAdd("book:X"))) == "too_many_links"
    assert refused(stage.does(risk, MarketAdd(another))) == "no_link"
    assert refused(stage.does(risk, MarketAdd(SMALL_MARKET))) == "repeated"
    assert (
        refused(stage.does(risk, WithdrawalHold(alice.account, "USDT", 1, "w")))
        == "too_many_withdrawals"
    )
    assert refused(stage.does(risk, Deposit(alice.account, "DOGE", 1, "d"))) == "too_many_assets"
    risk.machine.links.add("book:ETH-USDT")
    assert refused(stage.does(risk, MarketAdd(another))) == "too_many_markets"
