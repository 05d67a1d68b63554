"""A database shell: the wheel's psql if it has one, else the system's, else Python's own."""

from __future__ import annotations

import os
import shutil
import sys

from apps.common.config import config
from exchange_site.ops import postgres


def main() -> None:
    """Become psql, as the owner role; the password stays out of the command line."""
    embedded = postgres.binaries() / "psql"
    program = str(embedded) if embedded.exists() else shutil.which("psql")
    if program is None:
        sys.exit("no psql here: install postgresql-client, or use `manage.py shell`")
    from psycopg.conninfo import conninfo_to_dict

    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER"}
    names |= {"password": "PGPASSWORD", "dbname": "PGDATABASE"}  # A name. # nosec B105
    parts = conninfo_to_dict(config.text("DATABASE_OWNER_URL"))
    os.environ.update({names[key]: str(value) for key, value in parts.items() if key in names})
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
