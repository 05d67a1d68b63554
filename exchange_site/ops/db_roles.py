"""What each role of process may do in PostgreSQL: the one table, and who applies it.

Roles are those of `roles.py`; each is a user `fairbook_<role>` of its own. None may more than the
services' role `fairbook_app` may, of which migrations take away what nobody may do (a table that
only grows is never changed): a role's right here is what both allow. A table that no pattern names
is out of its reach. `make up` applies this after migrations; `make psql` and operators' commands
are the owner and `fairbook_app`. In a person's own PostgreSQL those of these users that exist get
their rights, too.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import psycopg

APP = "fairbook_app"


class Reach(NamedTuple):
    """Patterns of tables: which may be read, and which written (and read)."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


_WHAT_PEOPLE_AND_STAFF_DO = (
    *("auth_*", "common_*", "compliance_*", "django_*", "kyc_*", "markets_*", "orders_*"),
    "users_*",
)
REACH: dict[str, Reach] = {
    # Who serves people writes no ledger: value moves by a partition's decision, then settlement.
    "edge": Reach(reads=("*",), writes=_WHAT_PEOPLE_AND_STAFF_DO),
    "tasks": Reach(
        reads=("*",),
        writes=("common_*", "django_session", "kyc_*", "markets_*", "users_*", "ledger_halt"),
    ),
    "settlement": Reach(writes=("common_*", "ledger_*")),
    "relay": Reach(writes=("common_*",)),
    "lister": Reach(writes=("common_*", "markets_*")),
    "standing": Reach(reads=("compliance_*", "users_*")),
    "marketdata": Reach(writes=("marketdata_*",)),
    "prover": Reach(writes=("proofs_*",)),
}

_APPS_RIGHTS = """
SELECT tables.relname, rights.name
FROM pg_class AS tables
CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS rights (name)
WHERE tables.relkind = 'r' AND tables.relnamespace = 'public'::regnamespace
  AND has_table_privilege(%s, tables.oid, rights.name)
ORDER BY 1, 2
"""


def user_of(role: str) -> str:
    """Return the name of a role's user."""
    return f"fairbook_{role}"


def may(role: str, table: str, right: str) -> bool:
    """Say whether the table lets a role use a right (SELECT, INSERT, UPDATE or DELETE)."""
    reach = REACH[role]
    patterns = (*reach.writes, *(reach.reads if right == "SELECT" else ()))
    return any(fnmatchcase(table, pattern) for pattern in patterns)


def apply(owner: psycopg.Connection, *, app: str = APP) -> None:
    """Give every role that exists its rights in this database, and take away all others."""
    from psycopg import sql

    with owner.transaction():
        there = {name for (name,) in owner.execute("SELECT rolname FROM pg_roles").fetchall()}
        if app not in there:
            return  # Who comes in by another way than a role's name has none to share with.
        shared = owner.execute(_APPS_RIGHTS, [app]).fetchall()
        for role in (role for role in REACH if user_of(role) in there - {app}):
            user = sql.Identifier(user_of(role))
            owner.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(user))
            owner.execute(
                sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(user)
            )
            for table, right in shared:
                if may(role, table, right):
                    grant = sql.SQL("GRANT {} ON {} TO {}")
                    owner.execute(grant.format(sql.SQL(right), sql.Identifier(table), user))
