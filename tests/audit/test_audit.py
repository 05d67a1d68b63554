"""The audit log: an act and its record are one change, and what was recorded cannot be unsaid."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import psycopg
import pytest
from django.db import connection, transaction

from apps.common import audit, audit_chain, relay
from apps.common.contracts import AuditHead, Happened
from apps.common.models import AuditRecord, AuditSeal, AuditWaiting
from apps.journals import keys, wire

THIEVERY = [
    "UPDATE common_auditrecord SET actor = 'system'",
    "DELETE FROM common_auditrecord",
    "TRUNCATE common_auditrecord CASCADE",
    "UPDATE common_auditseal SET hash = ''",
    "DELETE FROM common_auditseal",
    "DROP TRIGGER common_auditrecord_only_grows ON common_auditrecord",
]

pytestmark = pytest.mark.usefixtures("transactional_db")


def act(count: int = 1) -> None:
    for number in range(count):
        with transaction.atomic():
            audit.record("key.made", subject="user:7", actor="user:7", number=number)


def tell_all(journal) -> list[Happened | AuditHead]:
    """Seal, publish, and return all that the stream of events carries."""
    while audit_chain.seal_new():
        pass
    relay.publish_all(journal)
    decode = msgspec.msgpack.Decoder(Happened | AuditHead).decode
    frame = msgspec.msgpack.Decoder(wire.CommandFrame).decode
    entries = journal.xrange(keys.commands(audit.EVENTS))
    return [
        decode(command)
        for _, fields in entries
        for command in frame(fields[keys.FRAME_FIELD]).commands
    ]


def wrongs(journal) -> list[str]:
    return audit_chain.ChainCheck().go_on(1_000)[1] + audit_chain.wrong_tellings(journal)


@pytest.fixture
def administrator(servers) -> Iterator[Callable[[str], None]]:
    """Speak SQL as the tables' owner, with the guards switched off: what nobody else can."""
    url = servers.database_owner_url.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    with psycopg.connect(url, autocommit=True) as session:

        def speak(sql: str) -> None:
            for table in ("common_auditrecord", "common_auditseal"):
                session.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            session.execute(sql)

        yield speak
        for table in ("common_auditrecord", "common_auditseal"):
            session.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_an_act_that_is_undone_was_never_recorded(journal):
    with transaction.atomic():
        audit.record("key.made", subject="user:7", actor="user:7")
        transaction.set_rollback(True)

    assert not AuditRecord.objects.exists()
    assert tell_all(journal) == []


def test_an_act_is_told_on_the_stream_of_events_with_the_chains_head(journal):
    act(2)

    *happened, head = tell_all(journal)

    assert [(each.kind, msgspec.msgpack.decode(each.data)) for each in happened] == [
        ("key.made", {"number": 0}),
        ("key.made", {"number": 1}),
    ]
    last = AuditSeal.objects.get(number=2)
    assert head == AuditHead(number=2, hash=bytes(last.hash))
    assert not AuditWaiting.objects.exists()


def test_a_chain_that_nobody_touched_is_whole(journal):
    act(5)
    tell_all(journal)

    check = audit_chain.ChainCheck()
    assert [check.go_on(2) for _ in range(3)] == [(2, []), (2, []), (1, [])]
    assert wrongs(journal) == []


@pytest.mark.parametrize("sql", THIEVERY)
def test_the_services_role_cannot_unsay_anything(servers, journal, sql):
    act()
    tell_all(journal)
    url = servers.database_url.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]

    with psycopg.connect(url) as thief, pytest.raises(psycopg.Error):
        thief.execute(sql)


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE common_auditrecord SET actor = 'system' WHERE id = {2}", "record 2 is not what"),
        ("UPDATE common_auditrecord SET data = '{{}}' WHERE id = {1}", "record 1 is not what"),
        ("DELETE FROM common_auditseal WHERE number = 2", "record 2 is missing"),
        (
            "UPDATE common_auditrecord AS one SET data = other.data"
            " FROM common_auditrecord AS other"
            " WHERE (one.id, other.id) IN (({1}, {2}), ({2}, {1}))",
            "record 1 is not what",
        ),
        ("DELETE FROM common_auditseal WHERE number = 3", "told at audit record 3"),
    ],
    ids=["actor", "data", "dropped", "swapped", "cut off"],
)
def test_what_an_administrator_changes_is_found_and_named(journal, administrator, sql, named):
    act(3)
    tell_all(journal)
    numbers = [0, *AuditRecord.objects.order_by("pk").values_list("pk", flat=True)]

    administrator(sql.format(*numbers))

    assert any(named in wrong for wrong in wrongs(journal)), wrongs(journal)


def test_a_chain_that_was_made_anew_differs_from_what_was_told(journal, administrator):
    """The table alone is consistent again; the journal server remembers another head."""
    act(3)
    tell_all(journal)
    administrator("UPDATE common_auditrecord SET actor = 'system'")
    head = audit_chain.START
    for row in AuditRecord.objects.order_by("pk"):
        head = audit_chain.hash_of(row, head)
        administrator(
            f"UPDATE common_auditseal SET hash = '\\x{head.hex()}' WHERE record_id = {row.pk}"
        )

    assert audit_chain.ChainCheck().go_on(10) == (3, [])
    assert audit_chain.wrong_tellings(journal) == [
        "the head told at audit record 3 is not in the chain"
    ]


def test_a_record_that_was_told_and_taken_away_is_missed(journal, administrator):
    act()
    with transaction.atomic():
        audit.record("factor.removed", subject="user:7", actor="staff:3")
    relay.publish_all(journal)
    gone = AuditRecord.objects.latest("pk").pk

    administrator(f"DELETE FROM common_auditwaiting WHERE record_id = {gone}")
    administrator(f"DELETE FROM common_auditrecord WHERE id = {gone}")

    assert wrongs(journal) == [f"audit record with id {gone} was told and is gone"]
