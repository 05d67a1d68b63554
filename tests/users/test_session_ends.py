"""What is kept of a session, and that one that is dropped is announced to every edge."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

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


class Bomb:
    """What somebody who may write into the cache would leave there."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_a_copy_is_data_under_a_digest_and_never_a_program(cache, tmp_path):
    session = SessionStore()
    session["somebody"] = 1
    session.save()
    (name,) = cache.scan_iter("*")
    assert name.endswith(sessions.name_of(session.session_key).encode())
    assert json.loads(cache.get(name)) == {"somebody": 1}

    cache.set(name, pickle.dumps(Bomb(tmp_path / "ran")))

    assert SessionStore(session.session_key)["somebody"] == 1
    assert not (tmp_path / "ran").exists()
