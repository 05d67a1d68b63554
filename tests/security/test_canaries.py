"""What is secret is nowhere in plain words: plant it through the doors, then read everything.

Read are: every table (pg_dump), every value on both Valkeys, every file that the servers and the
exchange keep (PostgreSQL's own included, with what was deleted since), the logs as production
writes them, metrics, and an error page. People's names and addresses stand in a few tables in plain
words, because one looks people up by them; nowhere else.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import prometheus_client
import pytest
import redis
from django.conf import settings
from django.db import IntegrityError, connection
from PIL import Image, PngImagePlugin

from apps.common import logs, relay
from apps.common.config import config
from apps.users.models import User
from apps.users.services import people
from exchange_site.ops import postgres
from tests.helpers.factors import code_of
from tests.helpers.mails import word_to
from tests.orders.conftest import in_thread

pytestmark = pytest.mark.django_db

EMAIL, NAME = "canary-address@example.org", "Canary Fullname"
PASSWORD, OTHER, WRONG = "canary-in-a-cage-1", "canary-in-a-cage-2", "canary-wrong-password"
LEGAL, NUMBER, PIXELS = "Canary Legalname", "CANARY12345", "canary-in-a-paper"
PERSONAL = {"address": EMAIL, "name": NAME}
PLAIN_TABLES = ("users_user", "users_pendingsignup", "users_proof", "users_mail")


class Visitor:
    """A browser whose acts are kept, and what it met that must stay secret."""

    def __init__(self, site: Any) -> None:
        self.site, self.secrets = site, {
            "password": PASSWORD, "changed password": OTHER, "wrong password": WRONG,
            "legal name": LEGAL, "ID number": NUMBER, "words in a paper": PIXELS,
        }  # fmt: skip
        self.caller = SimpleNamespace(**vars(site.world.callers["stranger"]))
        self.cookies = {"csrftoken": self.caller.csrf}
        self.pages: list[str] = []

    def sends(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Send JSON as our pages do; keep the cookies that come back."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "X-CSRFToken": self.cookies["csrftoken"]}
        sent = {"method": method, "url": path, "headers": headers} | more
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent["content"] = json.dumps(body).encode()
        answer = self.site.kept(sent, self.caller)
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return answer

    def notes(self, what: str, secret: str) -> str:
        """Remember a secret that we made."""
        assert len(secret) > 15
        self.secrets[what] = secret
        return secret


def paper() -> bytes:
    """Return a picture that carries words beside its pixels."""
    words, file = PngImagePlugin.PngInfo(), io.BytesIO()
    words.add_text("Comment", PIXELS)
    Image.new("RGB", (900, 600), "white").save(file, "PNG", pnginfo=words)
    return file.getvalue()


def plant(visitor: Visitor) -> None:
    """Live a customer's life, with a canary wherever something is secret."""
    sends, notes = visitor.sends, visitor.notes
    wish = {"email": EMAIL, "password": PASSWORD, "full_name": NAME, "country": "CH"}
    assert sends("POST", "/api/v1/users", wish).status == 202
    word = notes("word of a sign-up", word_to(EMAIL))
    assert sends("POST", "/api/v1/users/proofs", {"token": word}).status == 201
    assert sends("POST", "/api/v1/users/proofs", {"token": word}).status == 400
    wrong = {"login": EMAIL, "password": WRONG}
    assert sends("POST", "/api/v1/session", wrong).status == 401
    assert sends("POST", "/api/v1/users/resets", {"email": EMAIL}).status == 202
    word = notes("word of a reset", word_to(EMAIL))
    reset = {"token": word, "password": PASSWORD + "3"}
    assert sends("POST", "/api/v1/users/resets/proofs", reset).status == 204
    log_in = {"login": EMAIL, "password": PASSWORD + "3"}
    assert sends("POST", "/api/v1/session", log_in).status == 200
    notes("session", visitor.cookies[settings.SESSION_COOKIE_NAME])
    change = {"old_password": PASSWORD + "3", "password": OTHER}
    assert sends("POST", "/api/v1/account/password", change).status == 204
    notes("session after a change", visitor.cookies[settings.SESSION_COOKIE_NAME])
    notes("device", visitor.cookies[settings.DEVICE_COOKIE_NAME])
    _gets_an_app(visitor)
    made = sends("POST", "/api/v1/account/keys", {"kind": "hmac", "label": "canaries"})
    notes("API secret", json.loads(made.text)["secret"])
    stream = sends("POST", "/api/v3/userDataStream")
    notes("listen key", json.loads(stream.text)["listenKey"])
    _apply(visitor)


def _gets_an_app(visitor: Visitor) -> None:
    """Add a second factor, use one of its recovery codes, and show it a wrong one."""
    sends, notes = visitor.sends, visitor.notes
    app = json.loads(sends("POST", "/api/v1/account/factors/totp", {"name": "phone"}).text)
    secret = notes("TOTP secret", app["secret"])
    notes("TOTP secret in bytes", base64.b32decode(secret).hex())
    path = f"/api/v1/account/factors/totp/{app['id']}/code"
    shown = json.loads(sends("POST", path, {"code": code_of(secret)}).text)
    first, second, *_ = shown["recovery_codes"]
    notes("recovery code, unused", first)
    notes("session after a factor", visitor.cookies[settings.SESSION_COOKIE_NAME])
    used = notes("recovery code, used", second)
    assert sends("POST", "/api/v1/session/factor", {"code": used}).status == 200
    wrong = notes("recovery code, wrong", second[::-1])
    assert sends("POST", "/api/v1/session/factor", {"code": wrong}).status == 401
    notes("session after a step-up", visitor.cookies[settings.SESSION_COOKIE_NAME])


def _apply(visitor: Visitor) -> None:
    begun = json.loads(visitor.sends("POST", "/api/v1/kyc/applications", {"tier": 2}).text)
    path = f"/api/v1/kyc/applications/{begun['public_id']}"
    said = {"legal_name": LEGAL, "id_number": NUMBER}
    assert visitor.sends("PATCH", path, {"answers": said}).status == 200
    file = {"file": ("paper.png", paper(), "image/png")}
    sent = visitor.sends("POST", f"{path}/documents", data={"kind": "selfie"}, files=file)
    assert sent.status == 201, sent.text


# ── Reading everything ──────────────────────────────────────────────────────────────────────────


def dumped() -> dict[str, bytes]:
    """Return what pg_dump writes, by table."""
    program = postgres.binaries() / "pg_dump"
    url = config.text("DATABASE_OWNER_URL").rpartition("/")[0]
    name = connection.settings_dict["NAME"]
    command = [str(program), "--data-only", "--inserts", f"{url}/{name}"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    tables: dict[str, bytes] = {}
    for line in done.stdout.splitlines():
        if line.startswith(b"INSERT INTO "):
            table = line.split(maxsplit=3)[2].decode().rpartition(".")[2].strip('"')
            tables[f"table {table}"] = tables.get(f"table {table}", b"") + line + b"\n"
    return tables


def held_by(client: redis.Redis) -> bytes:
    """Return every key and value of a server."""
    found: list[Any] = []
    readers = {
        b"string": client.get, b"hash": client.hgetall, b"set": client.smembers,
        b"list": lambda name: client.lrange(name, 0, -1), b"stream": client.xrange,
        b"zset": lambda name: client.zrange(name, 0, -1),
    }  # fmt: skip
    for name in client.scan_iter("*"):
        found += [name, readers[client.type(name)](name)]
    return b"\n".join(_flat(found))


def _flat(value: Any) -> list[bytes]:
    if isinstance(value, bytes):
        return [value, _opened(value)]
    if isinstance(value, dict):
        return [part for pair in value.items() for part in _flat(list(pair))]
    if isinstance(value, list | tuple | set):
        return [part for one in value for part in _flat(one)]
    return [str(value).encode()]


def _opened(value: bytes) -> bytes:
    """Return what is packed inside a value, as far as it is packed by anything we use."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


def files() -> dict[str, bytes]:
    """Return every file that servers and processes keep."""
    folder = Path(config.text("FAIRBOOK_VAR"))
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_socket():
            found[f"file {path.relative_to(folder)}"] = path.read_bytes()
    return found


@pytest.fixture
def written():
    """Collect the log as production writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    formatter = logs.logging_dict()["formatters"]["json"]
    handler.setFormatter(formatter.pop("()")(**formatter))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def _fails(**_wish: Any) -> None:
    raise RuntimeError("something that nobody thought of")


def test_no_secret_is_anywhere_in_plain_words(site, monkeypatch, written):
    visitor = Visitor(site)
    plant(visitor)
    site.run(in_thread(relay.publish_all, site.world.journal))
    monkeypatch.setattr(people, "sign_up", _fails)
    wish = {"email": EMAIL, "password": PASSWORD, "full_name": NAME, "country": "CH"}
    fault = visitor.sends("POST", "/api/v1/users", wish)
    assert fault.status == 500

    places = dumped() | files() | {
        "cache": held_by(site.world.cache),
        "journal": held_by(site.world.journal),
        "log": written.getvalue().encode(),
        "metrics": prometheus_client.generate_latest(),
        "error page": fault.text.encode(),
    }  # fmt: skip

    assert b"RuntimeError" in places["log"], "the log is read"
    assert NAME.encode() in places["table users_user"], "the tables are read"
    assert len(places["cache"]) > 1_000
    found = [
        f"{what} in {where}"
        for what, secret in visitor.secrets.items()
        for where, text in places.items()
        if secret.encode() in text
    ]
    assert found == []


def test_names_and_addresses_are_where_one_looks_people_up_and_nowhere_else(site, written):
    places = dumped() | {
        "cache": held_by(site.world.cache),
        "journal": held_by(site.world.journal),
        "log": written.getvalue().encode(),
        "metrics": prometheus_client.generate_latest(),
    }
    with pytest.raises(IntegrityError):
        site.run(in_thread(User.objects.create_user, EMAIL, PASSWORD, full_name=NAME))
    places |= {name: text for name, text in files().items() if name.endswith(".log")}
    assert any(b"duplicate key" in text for text in places.values()), "the server's log is read"

    found = {
        where
        for where, text in places.items()
        if any(word.encode() in text for word in PERSONAL.values())
    }

    assert "table users_user" in found
    assert found <= {f"table {name}" for name in PLAIN_TABLES}
