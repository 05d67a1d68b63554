"""What a tier may withdraw: two rolling windows in dollars, counted once, never stretched."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections, transaction

from apps.kyc import locks
from apps.kyc.models import LimitUse, TierTerms
from apps.kyc.services import limits
from apps.users.services import accounts
from tests.kyc.conftest import NOON
from tests.kyc.stage import new_person

BTC = {"asset": "BTC", "decimals": 8, "price_usd": Decimal(50000)}


@pytest.fixture
def carol(db, cache) -> int:
    return new_person("carol", tier=1)


def withdraw(user_id: int, dollars: int, reference: str, at=NOON) -> int:
    return limits.take(
        user_id=user_id, reference=reference, amount_minor=dollars * 10**8 // 50_000, at=at, **BTC
    )


@pytest.mark.parametrize(
    ("amount_minor", "price", "cents"),
    [
        (100_000_000, "50000", 5_000_000),
        (1, "50000", 1),
        (20, "50000", 1),
        (21, "50000", 2),
        (0, "1", 0),
    ],
)
def test_an_amount_is_worth_what_the_last_price_says_rounded_up(amount_minor, price, cents):
    worth = limits.worth_cents(amount_minor=amount_minor, decimals=8, price_usd=Decimal(price))

    assert worth == cents


def test_a_day_rolls(carol):
    withdraw(carol, 600, "w1")
    with pytest.raises(limits.OverLimit) as refused:
        withdraw(carol, 401, "w2")
    assert refused.value.data["left_cents"] == "40000"
    assert LimitUse.objects.count() == 1, "a refusal writes nothing"

    withdraw(carol, 400, "w3", NOON + timedelta(hours=23))
    with pytest.raises(limits.OverLimit):
        withdraw(carol, 1, "w4", NOON + timedelta(hours=24) - timedelta(seconds=1))
    withdraw(carol, 600, "w5", NOON + timedelta(hours=24))


def test_thirty_days_roll(carol):
    for day in range(10):
        withdraw(carol, 1_000, f"w{day}", NOON + timedelta(days=day))
    assert limits.left(user_id=carol, at=NOON + timedelta(days=12)).left_cents == 0

    with pytest.raises(limits.OverLimit):
        withdraw(carol, 1, "w10", NOON + timedelta(days=29, hours=23))
    withdraw(carol, 1_000, "w11", NOON + timedelta(days=30))


def test_the_same_withdrawal_counts_once_and_another_of_its_name_is_refused(carol):
    first = withdraw(carol, 600, "w1")

    assert withdraw(carol, 600, "w1") == first
    assert LimitUse.objects.count() == 1
    with pytest.raises(limits.OtherTerms):
        withdraw(carol, 601, "w1")


def test_what_never_left_is_given_back_once(carol):
    withdraw(carol, 1_000, "w1")

    limits.release(reference="w1", at=NOON)
    limits.release(reference="w1", at=NOON + timedelta(hours=1))

    assert limits.left(user_id=carol, at=NOON).left_cents == 100_000
    assert LimitUse.objects.get().released_at == NOON


@pytest.mark.parametrize(
    ("tier", "left_cents"), [(0, 0), (1, 100_000), (2, 5_000_000), (3, None), (4, None)]
)
def test_each_tier_has_its_limits(carol, tier, left_cents):
    accounts.set_kyc_tier(user_id=carol, tier=tier, reason="a test")

    assert limits.left(user_id=carol, at=NOON).left_cents == left_cents


def test_what_was_withdrawn_counts_for_the_tier_a_person_has_now(carol):
    withdraw(carol, 1_000, "w1")
    accounts.set_kyc_tier(user_id=carol, tier=2, reason="a test")

    assert limits.left(user_id=carol, at=NOON).left_cents == 4_900_000
    accounts.set_kyc_tier(user_id=carol, tier=0, reason="a test")
    with pytest.raises(limits.OverLimit):
        withdraw(carol, 1, "w2")


def test_new_terms_are_a_new_version_and_the_old_one_stays(carol):
    limits.set_terms(
        tier=1, day_cents=200_000, month_cents=2_000_000, spot=True, perpetual=False,
        sub_accounts=False, by="staff:1", reason="a quieter year", at=NOON,
    )  # fmt: skip

    assert limits.left(user_id=carol, at=NOON).left_cents == 200_000
    assert limits.terms_of(1, at=NOON - timedelta(seconds=1)).day_cents == 100_000
    with pytest.raises(IntegrityError), transaction.atomic():
        TierTerms.objects.filter(tier=1, version=1).update(day_cents=1)


def test_products_of_each_tier(db):
    may = {tier: limits.products_of(tier) for tier in range(5)}

    assert [may[tier].spot for tier in range(5)] == [False, True, True, True, True]
    assert [may[tier].perpetual for tier in range(5)] == [False, False, True, True, True]
    assert [may[tier].sub_accounts for tier in range(5)] == [False, False, False, False, True]


def withdraw_at_once(user_id: int) -> list[str]:
    """Let two withdrawals of the whole limit race."""
    said: list[str] = []

    def one(reference: str) -> None:
        try:
            withdraw(user_id, 1_000, reference)
            said.append("taken")
        except limits.OverLimit as refusal:
            said.append(refusal.code)
        finally:
            connections.close_all()

    threads = [Thread(target=one, args=(name,)) for name in ("w1", "w2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return sorted(said)


@pytest.fixture
def slow_reads(monkeypatch):
    """Let both count what was used before either writes, where nothing keeps them apart."""
    both, real = Barrier(2), limits.check

    def checked(**words):
        found = real(**words)
        try:
            both.wait(0.7)
        except Exception:
            both.reset()
        return found

    monkeypatch.setattr(limits, "check", checked)


@pytest.fixture
def somebody(transactional_db, cache) -> int:
    return new_person("carol", tier=1)


def test_this_test_can_see_the_race(somebody, slow_reads, monkeypatch):
    """Unlocked, the same limit is used twice. If this fails, the next test proves nothing."""
    monkeypatch.setattr(locks, "lock_limits", lambda _user_id: None)

    assert withdraw_at_once(somebody) == ["taken", "taken"]


def test_only_one_of_two_withdrawals_gets_the_limit(somebody, slow_reads):
    assert withdraw_at_once(somebody) == ["taken", "withdrawal_limit"]
