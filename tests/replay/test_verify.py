"""verify: everything ties on an honest exchange, and each kind of damage is found and named."""

from __future__ import annotations

import threading

import msgspec
import psycopg
import pytest
from django.db import connection, transaction

from apps.common import audit, audit_chain
from apps.common.config import config
from apps.common.service import Service
from apps.journals import keys
from apps.journals.standby import Standby
from apps.ledger.models import Entry, Posting
from apps.monitoring import verify
from apps.monitoring.contracts import Verified
from apps.monitoring.walk import blueprint_of
from apps.orders import readmodels
from tests.ledger.test_last_word import account_id, enter, post
from tests.ledger.test_long_way import archive_and_trim
from tests.replay.conftest import Checked, sql, triggers_off

RISK, BOOK = "risk:0", "book:BTC-USDT"


def busy_day(checked: Checked, *, partitions: int = 1) -> tuple[int, int]:
    """Let people trade, cancel and wait; some orders stay open. Return a buyer and a seller."""
    world = checked.world
    buyers = [world.account(n, partition=n % partitions, USDT=100_000) for n in range(1, 4)]
    sellers = [world.account(n, partition=n % partitions, BTC=10) for n in range(4, 7)]
    world.run()
    for turn in range(6):
        world.place(buyers[turn % 3], "B", lots=500 + turn, at=10_000 + turn)
        world.place(sellers[turn % 3], "S", lots=300, at=9_990 + 3 * turn)
        world.run(seconds=1)
    checked.snapshot()
    world.cancel_all(buyers[0])
    world.run(seconds=11)
    world.place(buyers[1], "B", lots=7, at=9_500)
    world.place(sellers[1], "S", lots=7, at=10_500)
    world.run()
    return buyers[0], sellers[0]


def violated(found: Verified) -> dict[str, str | None]:
    return {one.id: one.first for one in found.invariants if one.ok is False}


@pytest.fixture
def settled(checked) -> Checked:
    busy_day(checked)
    checked.settle()
    with transaction.atomic():
        audit.record("account.opened", subject="user:1", actor="system")
    audit_chain.seal_new()
    return checked


def test_an_honest_exchange_ties(settled):
    found = settled.verify()

    assert violated(found) == {}
    assert found.ok
    not_built = {one.id for one in found.invariants if one.ok is None}
    assert not_built == {"I2", "I11"}
    assert set(found.imbalance_minor.values()) == {"0"}
    assert all(one.checked for one in found.invariants if one.ok)
    for worker, hashes in found.hashes.items():
        replica = settled.world.replicas[worker]
        assert hashes.genesis == hashes.snapshot == replica.state_hash().hex()
        assert found.at[worker] == replica.machine.seq


def test_two_partitions_tie_at_every_cut(partitions):
    busy_day(partitions, partitions=2)
    partitions.settle()

    found = partitions.verify()

    assert violated(found) == {}
    assert Entry.objects.filter(kind="fill").exists()


def test_a_ledger_that_is_behind_ties_where_it_stands(checked):
    busy_day(checked)
    checked.settle()
    alice = checked.world.account(9, USDT=100)
    checked.world.run()
    checked.world.place(alice, "B", lots=1, at=9_500)
    checked.world.run()

    assert violated(checked.verify()) == {}


def test_a_damaged_posting_is_found_and_named(settled):
    posting = Posting.objects.filter(entry__kind="fill").order_by("pk").first()
    with triggers_off("ledger_posting"):
        sql("UPDATE ledger_posting SET amount = amount + 1 WHERE id = %s", posting.pk)

    found = settled.verify()

    names = violated(found)
    assert f"entry {posting.entry_id}" in names["I1"]
    assert "off by 1 BTC" in names["I1"]
    assert "balance of customer:" in names["I5"]
    assert f"entry {posting.entry_id}" in names["I8"]


def test_two_postings_that_are_damaged_alike_do_not_hide_each_other(settled):
    """The entry still balances; the journal says otherwise."""
    entry = Entry.objects.filter(kind="deposit").order_by("pk").first()
    with triggers_off("ledger_posting"):
        sql("UPDATE ledger_posting SET amount = amount * 2 WHERE entry_id = %s", entry.pk)

    names = violated(settled.verify())

    assert "I1" not in names
    assert f"entry {entry.pk} (deposit" in names["I8"]


def test_a_posting_that_is_gone_is_missed(settled):
    posting = Posting.objects.order_by("pk").last()
    with triggers_off("ledger_posting"):
        sql("DELETE FROM ledger_posting WHERE id = %s", posting.pk)

    assert f"entry {posting.entry_id}" in violated(settled.verify())["I1"]


def test_an_entry_that_no_event_made_is_found(settled):
    """Somebody with the services' password can write a balanced entry; the journal knows better."""
    where = connection.settings_dict
    url = f"postgresql://{where['USER']}:{where['PASSWORD']}@{where['HOST']}:{where['PORT']}"
    with psycopg.connect(f"{url}/{where['NAME']}") as thief:
        mine, outside = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
        entry = enter(thief, "gift", legs=2)
        post(thief, (entry, 1, mine, 500), (entry, 2, outside, -500))
        thief.commit()

    names = violated(settled.verify())

    assert list(names) == ["I8"]
    assert f"entry {entry} (theft gift)" in names["I8"]


def test_a_damaged_balance_row_is_found_and_named(settled):
    buyer = Posting.objects.filter(account__kind="customer").order_by("pk").first().account
    sql("UPDATE ledger_balance SET amount = amount + 1 WHERE account_id = %s", buyer.pk)

    found = settled.verify()

    names = violated(found)
    assert f"balance of customer:{buyer.number} {buyer.asset}" in names["I5"]
    assert f"customer {buyer.number} {buyer.asset}" in names["I8"]
    assert found.imbalance_minor[buyer.asset] == "1"


def test_a_damaged_read_model_is_found_and_named(settled, cache):
    (account, *_) = sorted(map(int, cache.smembers(readmodels.ACCOUNTS)))
    key = readmodels.balances_key(account)
    total, held = msgspec.msgpack.decode(cache.hget(key, "USDT"))
    cache.hset(key, "USDT", msgspec.msgpack.encode((total + 1, held)))

    names = violated(settled.verify())

    assert list(names) == ["I12"]
    assert f"rm:balances:{account} USDT" in names["I12"]


@pytest.mark.parametrize("worker", [RISK, BOOK])
@pytest.mark.parametrize("field", [b"h", b"o"])
def test_a_damaged_byte_of_a_log_is_found_and_named(settled, journal, worker, field):
    entries = journal.xrange(keys.log(worker))
    number, fields = next((e, f) for e, f in entries[3:] if f[field])
    fields[field] = fields[field][:-2] + bytes([fields[field][-2] ^ 1]) + fields[field][-1:]
    rewrite(journal, keys.log(worker), entries)

    names = violated(settled.verify())

    assert "I6" in names
    assert worker in names["I6"]
    assert f"batch {number.split(b'-')[0].decode()}" in names["I6"]


def test_a_damaged_byte_of_the_newest_header_is_found_and_named(settled, journal):
    entries = journal.xrange(keys.log(BOOK))
    number, fields = entries[-1]
    fields[b"h"] = b"\xc1" + fields[b"h"][1:]
    rewrite(journal, keys.log(BOOK), entries)

    assert f"batch {number.split(b'-')[0].decode()}" in violated(settled.verify())["I6"]


def test_a_damaged_byte_of_a_command_is_found_and_named(settled, journal):
    stream = keys.commands(RISK)
    entries = journal.xrange(stream)
    first, fields = entries[0]
    fields[b"f"] = fields[b"f"][:-1] + bytes([fields[b"f"][-1] ^ 1])
    rewrite(journal, stream, entries)

    names = violated(settled.verify())

    assert stream in names["I6"]
    assert f"batch 1, entry {first.decode()}" in names["I6"], "as narrow as a batch's takes are"


def test_a_damaged_byte_of_a_link_is_found_and_named(settled, journal):
    stream = keys.link(BOOK, RISK)
    entries = journal.xrange(stream)
    entry, fields = entries[2]
    fields[b"f"] = fields[b"f"][:-1] + bytes([fields[b"f"][-1] ^ 1])
    rewrite(journal, stream, entries)

    names = violated(settled.verify())

    assert stream in names["I6"]
    assert entry.decode() in names["I6"]


def rewrite(journal, stream: str, entries: list) -> None:
    """Put a stream's entries back under their ids, as they are now."""
    journal.delete(stream)
    for entry, fields in entries:
        journal.xadd(stream, fields, id=entry)


def test_a_snapshot_of_another_state_is_found(settled):
    replica = settled.world.replicas[RISK]
    account = next(iter(replica.machine.accounts.values()))
    account.balances["USDT"].total += 1
    settled.snapshot()
    account.balances["USDT"].total -= 1

    names = violated(settled.verify())

    assert "risk:0: the snapshot of batch" in names["I6"]


def test_a_history_that_says_otherwise_is_found(settled):
    sql("UPDATE ledger_settledorder SET filled_lots = filled_lots + 1 WHERE filled_lots > 0")

    assert "is not what its fills come to" in violated(settled.verify())["I4"]


def test_a_fill_of_another_price_is_found(settled):
    with triggers_off("ledger_settledfill"):
        sql("UPDATE ledger_settledfill SET price_ticks = price_ticks + 1 WHERE side = 'B'")

    names = violated(settled.verify())

    assert "its sides differ" in names["I4"]
    assert "its row of history is not what the journal says" in names["I8"]


def test_live_states_are_asked_of_the_standbys(settled, cache):
    """Each standby saves its state when asked, and verify compares it with its own replay."""
    stop = threading.Event()
    standbys = [standby_of(settled, worker) for worker in settled.world.replicas]

    def stand_by() -> None:
        while not stop.wait(0.02):
            for standby in standbys:
                standby.follow()
                standby._snapshot_if_asked()

    thread = threading.Thread(target=stand_by)
    thread.start()
    try:
        found = verify.verify(settled.journal, cache, live_wait_s=10)
    finally:
        stop.set()
        thread.join()

    assert violated(found) == {}
    for worker, hashes in found.hashes.items():
        assert hashes.live == hashes.genesis == hashes.snapshot
        assert hashes.live == settled.world.replicas[worker].state_hash().hex()


def standby_of(checked: Checked, worker: str) -> Standby:
    blueprint = blueprint_of(worker)
    return Standby(
        blueprint.at_genesis(checked.journal),
        blueprint=blueprint,
        journal=checked.journal,
        cache=checked.cache,
        service=Service(worker, handle_signals=False, configure_logs=False),
    )


def test_a_damaged_byte_of_an_archive_is_found_and_named(settled):
    folder = config.path("FAIRBOOK_ARCHIVE_DIR")
    archive_and_trim(settled.world, folder, RISK, up_to=4)
    assert violated(settled.verify()) == {}
    (segment,) = (folder / "risk-0").glob("*.seg")
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)

    names = violated(settled.verify())

    assert str(segment) in names["I6"]
