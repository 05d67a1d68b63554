"""Tables as the migrations left them: empty, or holding what is seeded (fee tiers, content types).

Django's own way back after a test that commits empties every table, seeds too, and takes a quarter
of a second. This one empties the tables that hold anything and copies the seeds back in.
"""

from __future__ import annotations

from django.db import connection, transaction

KEPT = {"django_migrations"}


class Seeds:
    """What was in the tables when it was made."""

    def __init__(self) -> None:
        tables = set(connection.introspection.table_names()) - KEPT
        self._tables = sorted(tables)
        self._rows = {table: _copy_out(table) for table in self._filled()}

    def put_back(self) -> None:
        """Make every table hold just that again."""
        with transaction.atomic(), connection.cursor() as cursor:
            touched = sorted({*self._filled(), *self._rows})
            cursor.execute(f"TRUNCATE {', '.join(map(_quoted, touched))} CASCADE")
            for table, rows in self._rows.items():
                with cursor.copy(f"COPY {_quoted(table)} FROM STDIN") as copy:
                    copy.write(rows)

    def _filled(self) -> list[str]:
        """Name the tables that hold anything."""
        asked = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT FROM {_quoted(table)})"
            for table in self._tables
        )
        with connection.cursor() as cursor:
            cursor.execute(asked)
            return [name for (name,) in cursor.fetchall()]


def _copy_out(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY {_quoted(table)} TO STDOUT") as copy:
        return b"".join(copy)


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)
