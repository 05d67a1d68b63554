"""What each role may do in PostgreSQL: every act against every role, in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from apps.common.config import config
from exchange_site.ops import db_roles, environs, processes

pytestmark = pytest.mark.skipif(
    config.is_set("DATABASE_URL"), reason="a given server has the roles that its owner made"
)

SERVE = {"edge", "tasks"}
MATRIX: list[tuple[str, str, set[str]]] = [
    ("INSERT", "ledger_entry", {"settlement"}),
    ("INSERT", "ledger_posting", {"settlement"}),
    ("INSERT", "ledger_ledgeraccount", {"settlement"}),
    ("UPDATE", "ledger_posting", set()),
    ("UPDATE", "ledger_balance", set()),
    ("DELETE", "ledger_entry", set()),
    ("UPDATE", "ledger_cursor", {"settlement"}),
    ("INSERT", "ledger_halt", {"settlement", "tasks"}),
    ("SELECT", "ledger_balance", {*SERVE, "settlement"}),
    ("SELECT", "users_user", {*SERVE, "standing"}),
    ("UPDATE", "users_user", SERVE),
    ("INSERT", "users_apikey", SERVE),
    ("SELECT", "django_session", SERVE),
    ("SELECT", "kyc_document", SERVE),
    ("INSERT", "orders_transfer", {"edge"}),
    ("INSERT", "compliance_ruleversion", {"edge"}),
    ("INSERT", "common_outboxmessage", {*SERVE, "settlement", "relay", "lister"}),
    ("UPDATE", "common_auditrecord", set()),
    ("DELETE", "common_auditrecord", set()),
    ("INSERT", "markets_listing", {*SERVE, "lister"}),
    ("INSERT", "marketdata_candle", {"marketdata"}),
    ("INSERT", "proofs_head", {"prover"}),
    ("DELETE", "proofs_head", set()),
]
STATEMENTS = {
    "SELECT": "SELECT 1 FROM {table} WHERE false",
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "UPDATE {table} SET {column} = {column} WHERE false",
    "DELETE": "DELETE FROM {table} WHERE false",
}


@pytest.fixture
def shared_out(servers, transactional_db) -> Iterator[dict[str, psycopg.Connection]]:
    """Return a connection of each role to the test's database, its rights given as at set-up."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(_at(servers.database_owner_url, name), autocommit=True) as owner:
        db_roles.apply(owner)
    with ExitStack() as stack:
        yield {
            role: stack.enter_context(psycopg.connect(_at(_url(role), name), autocommit=True))
            for role in db_roles.REACH
        }


def _at(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


def _url(role: str) -> str:
    word = environs.password_of(role, "db", config)
    port = config.integer("FAIRBOOK_POSTGRES_PORT")
    return f"postgresql://{db_roles.user_of(role)}:{word}@127.0.0.1:{port}/fairbook"


def may(session: psycopg.Connection, right: str, table: str) -> bool:
    """Have somebody do something and say whether the database let it. Nothing is left of it."""
    with session.transaction(force_rollback=True):
        try:
            with session.transaction():
                column = _first_column(session, table)
                words = sql.SQL(STATEMENTS[right])
                session.execute(words.format(table=sql.Identifier(table), column=column))
        except psycopg.errors.InsufficientPrivilege:
            return False
        except psycopg.IntegrityError:  # It might; this row was none.
            return True
        return True


def _first_column(session: psycopg.Connection, table: str) -> sql.Identifier:
    found = session.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table]
    ).fetchone()
    assert found is not None
    return sql.Identifier(found[0])


def test_a_role_may_what_the_matrix_says_and_nothing_else(shared_out):
    found = {
        (right, table): {role for role, session in shared_out.items() if may(session, right, table)}
        for right, table, _ in MATRIX
    }
    assert found == {(right, table): who for right, table, who in MATRIX}


def test_nobody_makes_tables_or_becomes_somebody_else(shared_out):
    for session in shared_out.values():
        for words in (
            "CREATE TABLE mine (n int)",
            "SET ROLE fairbook_owner",
            "SET ROLE fairbook_app",
            "CREATE ROLE mine",
            "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(words)


def test_no_role_may_more_than_the_services_role(shared_out, servers):
    name = connection.settings_dict["NAME"]
    query = (
        "SELECT count(*) FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',"
        " 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS name WHERE relkind = 'r' AND"
        " relnamespace = 'public'::regnamespace AND has_table_privilege(%s, pg_class.oid, name)"
        " AND NOT has_table_privilege('fairbook_app', pg_class.oid, name)"
    )
    with psycopg.connect(_at(servers.database_owner_url, name)) as owner:
        for role in db_roles.REACH:
            assert owner.execute(query, [db_roles.user_of(role)]).fetchone() == (0,)


def test_who_needs_the_database_has_a_role_there_and_nobody_else():
    rows = processes.all_processes()
    assert {row.acts_as for row in rows if environs.Need.DATABASE in row.needs} == {*db_roles.REACH}
