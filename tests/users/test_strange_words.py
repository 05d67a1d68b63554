"""What PostgreSQL or Python cannot even read is refused like any other wrong value."""

from __future__ import annotations

import io

import pytest
from django.db import DataError
from rest_framework.exceptions import ParseError

from apps.common import api
from apps.common.parsers import JsonParser
from apps.users import selectors
from apps.users.session_store import SessionStore

NO_KEYS = ("\x00aaaaaaaaaaaaaaa", "short", "a" * 41, "Ünicode-key-of-a-session", "")


@pytest.mark.parametrize("word", NO_KEYS)
def test_a_cookie_that_can_be_no_session_is_never_asked_for(word):
    assert SessionStore(word).session_key is None
    assert selectors.session_grant(word) is None  # Without the database: this test has none.


def test_a_session_keeps_its_key():
    assert SessionStore("k" * 32).session_key == "k" * 32


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 30_000])
def test_json_that_nests_without_end_is_malformed(body):
    with pytest.raises(ParseError):
        JsonParser().parse(io.BytesIO(body), "application/json", {})


def test_a_value_that_the_database_cannot_take_is_the_callers_mistake():
    refusal = api.as_refusal(DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"))

    assert refusal is not None
    assert (refusal.code, refusal.http_status) == ("invalid", 400)
