"""A connection to PostgreSQL for processes that wait for its NOTIFY."""

from __future__ import annotations

import psycopg
from django.db import connection


def connection_that_listens(name: str) -> psycopg.Connection:
    """Open a connection of its own, outside the pool, to the database that Django uses."""
    where = connection.settings_dict
    return psycopg.connect(
        host=where["HOST"],
        port=where["PORT"],
        dbname=where["NAME"],
        user=where["USER"],
        password=where["PASSWORD"],
        autocommit=True,
        connect_timeout=3,
        application_name=name,
    )
