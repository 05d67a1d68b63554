"""Signed requests: what was signed is what is done, in its time, once."""

import pytest

from apps.orders.dialect import params, signing
from apps.orders.dialect.refusals import DialectRefusal
from apps.users.contracts import KeyGrant, Standing
from tests.orders.dialect_cases import signature_of

# The dialect's own published example.
SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
ALICE = KeyGrant(
    public_id="alices",
    secret=SECRET,
    standing=Standing(
        user_id=1,
        account=1025,
        partition=1,
        kyc_tier=2,
        vip_tier=0,
        may_read=True,
        may_trade=True,
        may_cancel=True,
    ),
)
EXAMPLE = (
    b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
    b"&recvWindow=5000&timestamp=1499827319559"
)
EXAMPLE_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
NOW_NS = 1_700_000_000_000 * 1_000_000


def number_of(act, *args, **kwargs) -> int:
    with pytest.raises(DialectRefusal) as refused:
        act(*args, **kwargs)
    return refused.value.number


def test_the_dialects_published_example_holds():
    signing.believed(ALICE, EXAMPLE, signature=EXAMPLE_SIGNATURE)
    signing.believed(ALICE, EXAMPLE, signature=EXAMPLE_SIGNATURE.upper())


def test_query_and_body_are_signed_together_wherever_the_signature_stands():
    query, body = EXAMPLE[:51], EXAMPLE[51:]

    in_body = signing.signed_bytes(query, body + b"&signature=" + EXAMPLE_SIGNATURE.encode())
    in_query = signing.signed_bytes(query + b"&signature=" + EXAMPLE_SIGNATURE.encode(), body)

    assert in_body == in_query == EXAMPLE
    signing.believed(ALICE, in_body, signature=EXAMPLE_SIGNATURE)


@pytest.mark.parametrize("at", range(0, len(EXAMPLE), 7))
def test_any_changed_byte_breaks_the_signature(at):
    forged = EXAMPLE[:at] + bytes([EXAMPLE[at] ^ 1]) + EXAMPLE[at + 1 :]

    assert number_of(signing.believed, ALICE, forged, signature=EXAMPLE_SIGNATURE) == -1022


@pytest.mark.parametrize("signature", ["", "0" * 64, "zz" * 32, EXAMPLE_SIGNATURE[:-1], "é" * 64])
def test_what_is_no_signature_is_refused(signature):
    assert number_of(signing.believed, ALICE, EXAMPLE, signature=signature) == -1022


def test_another_keys_signature_is_refused():
    signature = signature_of(b"another secret", EXAMPLE)

    assert number_of(signing.believed, ALICE, EXAMPLE, signature=signature) == -1022


@pytest.mark.parametrize("key", ["", "short", "a" * 65, "a b" * 10, "ключ" * 8])
def test_what_cannot_be_a_key_is_refused_before_anybody_looks_for_it(key):
    assert number_of(signing.check_key_format, key) == -2014


def check_time(**sent: str) -> int:
    return signing.check_time(params.Params(sent), now_ns=NOW_NS)


@pytest.mark.parametrize(
    ("sent", "deadline_ms"),
    [
        ({"timestamp": "1700000000000"}, 1_700_000_005_000),
        ({"timestamp": "1699999999000", "recvWindow": "1000"}, 1_700_000_000_000),
        ({"timestamp": "1700000000999"}, 1_700_000_005_999),
        ({"timestamp": "1700000000000000"}, 1_700_000_005_000),  # In microseconds.
        ({"timestamp": "1700000000000", "recvWindow": "60000"}, 1_700_000_060_000),
        ({"timestamp": "1700000000000", "recvWindow": "1.000"}, 1_700_000_000_001),
    ],
)
def test_the_deadline_is_the_timestamp_and_the_window(sent, deadline_ms):
    assert check_time(**sent) == deadline_ms * 1_000_000


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ({}, -1102),
        ({"timestamp": ""}, -1105),
        ({"timestamp": "yesterday"}, -1100),
        ({"timestamp": "-1"}, -1100),
        ({"timestamp": "1700000001000"}, -1021),  # 1 s ahead.
        ({"timestamp": "1699999994999"}, -1021),  # 1 ms too old.
        ({"timestamp": "1699999999999", "recvWindow": "0"}, -1021),
        ({"timestamp": "1700000000000", "recvWindow": "60001"}, -1131),
        ({"timestamp": "1700000000000", "recvWindow": "60000.001"}, -1131),
        ({"timestamp": "1700000000000", "recvWindow": "999999"}, -1100),
        ({"timestamp": "1700000000000", "recvWindow": "-5"}, -1100),
        ({"timestamp": "9" * 20}, -1130),
    ],
)
def test_a_request_from_outside_its_window_is_refused(sent, number):
    with pytest.raises(DialectRefusal) as refused:
        check_time(**sent)
    assert refused.value.number == number


def test_equal_signed_bytes_name_the_same_order_and_others_another():
    once = signing.derived_client_id("key-1", EXAMPLE)

    assert once == signing.derived_client_id("key-1", EXAMPLE)
    assert len(once) <= 36
    assert params.Params({"newClientOrderId": once}).matching("newClientOrderId", params.CLIENT_ID)
    assert once != signing.derived_client_id("key-2", EXAMPLE)
    assert once != signing.derived_client_id("key-1", EXAMPLE + b"0")
