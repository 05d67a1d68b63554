"""Accounts and their partitions, sealed secrets, and how long a log-in lasts."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from apps.common.kernel.ids import partition_of
from apps.common.models import OutboxMessage
from apps.risk.contracts.commands import AccountOpen, FeesSet
from apps.users import sealing, selectors, sessions
from apps.users.contracts import Changed
from apps.users.memory import EdgeMemory
from apps.users.services import accounts, people
from tests.helpers.factors import give_app

PASSWORD = "correct horse battery"


@pytest.mark.django_db
def test_an_account_is_told_to_its_partition_with_its_fees(monkeypatch, cache):
    monkeypatch.setenv("FAIRBOOK_RISK_PARTITIONS", "3")
    persons = [
        people.register(email=f"p{number}@example.org", password=PASSWORD) for number in range(6)
    ]

    opened_accounts = [accounts.create_account(user_id=person, vip_tier=1) for person in persons]

    assert sorted(account.partition for account in opened_accounts) == [0, 0, 1, 1, 2, 2]
    assert all(partition_of(account.account) == account.partition for account in opened_accounts)
    assert len({account.account for account in opened_accounts}) == 6
    decode = msgspec.msgpack.Decoder(AccountOpen | FeesSet).decode
    first = opened_accounts[0]
    sent = OutboxMessage.objects.filter(worker=f"risk:{first.partition}").order_by("pk")
    opened, fees = (decode(bytes(row.body)) for row in sent[:2])
    assert opened == AccountOpen(account=first.account)
    assert (fees.maker_ppm, fees.taker_ppm) == (800, 1_300)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tier", "frozen", "may_trade", "may_cancel"),
    [(0, False, False, True), (1, False, True, True), (4, True, False, True)],
)
def test_who_may_trade_is_one_answer(cache, tier, frozen, may_trade, may_cancel):
    person = people.register(email="p@example.org", password=PASSWORD)
    give_app(person)
    account = accounts.create_account(user_id=person, kyc_tier=tier).account
    if frozen:
        accounts.set_frozen(number=account, frozen=True, reason="a test")

    standing = selectors.standing_for_user(person)

    assert (standing.may_trade, standing.may_cancel) == (may_trade, may_cancel)


def test_a_sealed_secret_opens_only_whole_and_beside_its_name(monkeypatch):
    monkeypatch.setenv("FAIRBOOK_KEY_ENCRYPTION_KEY", "ab" * 32)
    sealed = sealing.seal(b"secret", bound_to="key-1")

    assert sealing.unseal(sealed, bound_to="key-1") == b"secret"
    for wrong, name in (
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "key-1"),
        (sealed, "key-2"),
        (b"\x01" + sealed[1:], "key-1"),  # As if it were of before keys had numbers.
        (b"\x03" + sealed[1:], "key-1"),
        (sealed[:1] + bytes(4) + sealed[5:], "key-1"),  # Under another key, it says.
        (b"", "key-1"),
    ):
        with pytest.raises(InvalidTag):
            sealing.unseal(wrong, bound_to=name)
    monkeypatch.setenv("FAIRBOOK_KEY_ENCRYPTION_KEY", "cd" * 32)
    with pytest.raises(InvalidTag):
        sealing.unseal(sealed, bound_to="key-1")


@pytest.mark.parametrize(
    ("is_staff", "seen_after_s", "ends_after_s"),
    [
        (False, 0, 30 * 60),
        (False, 11.9 * 3600, 12 * 3600),
        (True, 0, 15 * 60),
        (True, 7.9 * 3600, 8 * 3600),
    ],
)
def test_a_log_in_ends_when_idle_or_after_a_day_of_work(is_staff, seen_after_s, ends_after_s):
    session: dict[str, object] = {}
    sessions.begin(session, now=1_000.0, is_staff=is_staff)

    sessions.touch(session, now=1_000.0 + seen_after_s)

    assert sessions.ends_at(session) == 1_000.0 + ends_after_s


def test_coming_again_within_a_minute_writes_nothing():
    session: dict[str, object] = {}
    sessions.begin(session, now=1_000.0, is_staff=False)

    assert not sessions.touch(session, now=1_059.0)
    assert sessions.touch(session, now=1_060.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _grants(monkeypatch) -> list[str]:
    """Let every key open account 1024; return which names were read."""
    reads: list[str] = []

    def key_grant(name: str):
        reads.append(name)
        standing = selectors.Standing(
            user_id=1, account=1024, partition=0, kyc_tier=1, vip_tier=0,
            may_read=True, may_trade=True, may_cancel=True,
        )  # fmt: skip
        return selectors.KeyGrant(public_id=name, secret=b"s", standing=standing)

    monkeypatch.setattr(selectors, "key_grant", key_grant)
    return reads


def test_an_edge_that_hears_changes_reads_a_key_once_a_minute(monkeypatch):
    reads, clock = _grants(monkeypatch), Clock()
    memory = EdgeMemory(clock)
    memory._hears = True

    for clock.now in (0.0, 1.0, 59.0, 61.0):
        assert memory.key_now("k") is not None

    assert reads == ["k", "k"]


def test_a_deaf_edge_reads_again_after_a_second(monkeypatch):
    reads, clock = _grants(monkeypatch), Clock()
    memory = EdgeMemory(clock)

    for clock.now in (0.0, 0.9, 1.1):
        memory.key_now("k")

    assert reads == ["k", "k"]


def test_what_ended_stays_ended_and_what_changed_is_read_again(monkeypatch):
    reads, clock = _grants(monkeypatch), Clock()
    memory = EdgeMemory(clock)
    memory._hears = True
    memory.key_now("k")
    memory.key_now("gone")

    memory.take(Changed("account", "1024", False))
    memory.take(Changed("key", "gone", True))

    assert memory.key_now("gone") is None
    assert memory.key_now("k") is not None
    assert reads == ["k", "gone", "k"]


def test_a_change_that_overtakes_a_read_wins(monkeypatch):
    _grants(monkeypatch)
    memory = EdgeMemory(Clock())
    read = selectors.key_grant

    def overtaken(name: str):
        memory.take(Changed("key", name, True))
        return read(name)

    monkeypatch.setattr(selectors, "key_grant", overtaken)

    assert memory.key_now("k") is None
    assert memory.key_now("k") is None
