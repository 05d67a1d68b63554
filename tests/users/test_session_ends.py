"""A session that is dropped, by whichever way, is announced to every edge."""

from __future__ import annotations

import pytest

from apps.users import sessions
from apps.users.services import announcing
from apps.users.session_store import SessionStore

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("drop", ["flush", "cycle_key", "delete"])
def test_a_dropped_session_ends_at_every_edge(cache, monkeypatch, drop):
    ended: list[str] = []
    monkeypatch.setattr(announcing, "end_session", ended.append)
    session = SessionStore()
    session["somebody"] = 1
    session.save()
    key = session.session_key or ""

    getattr(session, drop)()

    assert ended == [sessions.name_of(key)]
