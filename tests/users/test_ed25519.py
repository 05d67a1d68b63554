"""Keys whose private half we never see: how they are read, and what they sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from apps.users import signatures
from apps.users.contracts import KeyTerms
from apps.users.models import ApiKey, User
from apps.users.services import accounts, keys, people
from tests.helpers.factors import give_app

PASSWORD = "correct horse battery"
PAIR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = PAIR.public_key().public_bytes_raw()
ACCOUNT = "/api/v1/account"


def pem(public_key) -> str:
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(private_key) -> str:
    return private_key.private_bytes(
        Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


DER = PAIR.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "words",
    [
        pem(PAIR.public_key()),
        pem(PAIR.public_key()).replace("\n", "\r\n") + "\r\n",
        base64.b64encode(RAW).decode(),
        base64.b64encode(DER).decode(),
    ],
)
def test_a_public_key_is_read_in_any_of_its_spellings(words):
    assert signatures.read_public_key(words) == RAW


SMALL_ORDER = [
    (1).to_bytes(32, "little"),
    bytes(32),
    (2**255 - 20).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    (2**255 - 18).to_bytes(32, "little"),  # One, written as one more than the prime.
]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "hello",
        "é" * 44,
        base64.b64encode(b"x" * 31).decode(),
        base64.b64encode(b"x" * 44).decode(),
        pem(rsa.generate_private_key(65537, 2048).public_key()),
        pem(ed448.Ed448PrivateKey.generate().public_key()),
        *(base64.b64encode(point).decode() for point in SMALL_ORDER),
    ],
)
def test_what_is_no_public_key_or_would_let_anybody_sign_is_refused(words):
    with pytest.raises(signatures.NotAPublicKey):
        signatures.read_public_key(words)


@pytest.mark.parametrize(
    "words", [private_pem(PAIR), "".join(private_pem(PAIR).splitlines()[1:-1])]
)
def test_a_private_key_is_recognised_and_not_kept(words):
    with pytest.raises(signatures.IsAPrivateKey):
        signatures.read_public_key(words)


def test_a_signature_holds_for_these_bytes_alone():
    signature = base64.b64encode(PAIR.sign(b"these bytes")).decode()

    assert signatures.is_ed25519(RAW, b"these bytes", signature)
    assert not signatures.is_ed25519(RAW, b"those bytes", signature)
    assert not signatures.is_ed25519(bytes(range(32)), b"these bytes", signature)
    for broken in ("", signature[:-2], signature + "A", "A" * 88, "é" * 88, "00" * 32):
        assert not signatures.is_ed25519(RAW, b"these bytes", broken)


# ── Under /api/v1 ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def alice(transactional_db, cache):
    user_id = people.register(email="alice@example.org", password=PASSWORD)
    give_app(user_id)
    return accounts.create_account(user_id=user_id, kyc_tier=2)


@pytest.fixture
def key(alice) -> str:
    made = keys.create_api_key(account=alice.account, public_key=pem(PAIR.public_key()))
    assert made.secret == ""
    return made.public_id


def ask(key: str, sign=PAIR.sign, *, path: str = ACCOUNT, client=None, **changes):
    """Ask for the account, signed now; `changes` are made after it was signed."""
    sent = {
        "method": "GET",
        "path": path,
        "query": b"",
        "timestamp": str(time.time_ns() // 1_000_000),
        "window": "",
        "body": b"",
    }
    for name in ("timestamp", "window"):
        if name in changes:
            sent[name] = changes.pop(name)
    signed = sign(signatures.v1_bytes(**sent))
    signature = signed if isinstance(signed, str) else base64.b64encode(signed).decode()
    sent |= changes
    return (client or Client()).generic(
        sent["method"],
        sent["path"] + (f"?{sent['query'].decode()}" if sent["query"] else ""),
        sent["body"],
        headers={
            "X-Fairbook-Key": key,
            "X-Fairbook-Timestamp": sent["timestamp"],
            "X-Fairbook-Signature": signature,
            **({"X-Fairbook-Window": sent["window"]} if sent["window"] else {}),
        },
    )


def test_a_signed_request_reads_the_keys_own_account(alice, key):
    answer = ask(key)

    assert answer.status_code == 200, answer.content
    assert answer.json()["account"] == alice.account
    assert not answer.json()["may_trade"]  # The key may only read.
    row = ApiKey.objects.get(public_id=key)
    assert (bytes(row.public_key), row.sealed_secret) == (RAW, None)


def test_an_hmac_key_signs_the_same_way(alice):
    made = keys.create_api_key(account=alice.account, can_trade=True)

    def sign(signed: bytes) -> str:
        return hmac.new(made.secret.encode(), signed, hashlib.sha256).hexdigest()

    assert ask(made.public_id, sign).json()["may_trade"]
    assert ask(made.public_id).status_code == 401  # Another's private key.


@pytest.mark.parametrize(
    "change",
    [
        {"query": b"account=1"},
        {"body": b"{}"},
        {"method": "POST"},
    ],
)
def test_a_request_that_was_changed_on_its_way_is_refused(key, change):
    assert ask(key, **change).status_code in (401, 403)


def test_a_signature_for_one_path_opens_no_other(key):
    def sign_another(signed: bytes) -> bytes:
        return PAIR.sign(signed.replace(b"/api/v1/account", b"/api/v1/account/keys"))

    answer = ask(key, sign_another)

    assert answer.status_code == 401
    assert answer.json()["code"] == "key_refused"


@pytest.mark.parametrize(
    ("late_ms", "window", "status"),
    [
        (0, "", 200),
        (-900, "", 200),
        (-1_500, "", 401),  # From the future.
        (4_000, "", 200),
        (6_000, "", 401),
        (6_000, "10000", 200),
        (0, "60001", 401),
        (0, "-1", 401),
    ],
)
def test_a_request_counts_within_its_window_only(key, late_ms, window, status):
    timestamp = str(time.time_ns() // 1_000_000 - late_ms)

    answer = ask(key, timestamp=timestamp, window=window)

    assert answer.status_code == status, answer.content


def test_keys_that_are_not_known_and_wrong_signatures_look_the_same(alice, key):
    nobody = ask("k" * 64)
    wrong = ask(key, Ed25519PrivateKey.generate().sign)
    away = keys.create_api_key(
        account=alice.account,
        public_key=pem(Ed25519PrivateKey.generate().public_key()),
        terms=KeyTerms(networks=("203.0.113.0/24",)),
    )

    assert nobody.status_code == wrong.status_code == ask(away.public_id).status_code == 401
    assert nobody.json() == wrong.json() == ask(away.public_id).json()


@pytest.mark.parametrize("path", ["/api/v1/account/keys", "/api/v1/session"])
def test_a_key_opens_only_what_says_that_it_takes_keys(key, path):
    assert ask(key, path=path).status_code == 401


def test_a_bad_signature_is_not_forgiven_for_a_cookies_sake(alice, key):
    browser = Client()
    browser.force_login(User.objects.get())

    assert ask(key, Ed25519PrivateKey.generate().sign, client=browser).status_code == 401


def test_a_signature_is_checked_in_well_under_a_millisecond():
    signature = base64.b64encode(PAIR.sign(b"x" * 200)).decode()
    took = []
    for _ in range(200):
        began = time.perf_counter()
        signatures.is_ed25519(RAW, b"x" * 200, signature)
        took.append(time.perf_counter() - began)
    print(f"Ed25519: p50 {sorted(took)[100] * 1e6:.0f} µs")
    assert sorted(took)[100] < 0.001
