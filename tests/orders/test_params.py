"""Parameters as they come off the wire, honest or not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.orders.dialect import endpoints, params, signing, tickets
from apps.orders.dialect.refusals import DialectRefusal
from apps.users import signatures
from tests.orders.dialect_cases import CATALOGUE, LIMIT, query_of


def test_query_and_body_are_read_as_one_form():
    read = params.parse(b"a=1&b=%C3%A9+x", b"c=&d")

    assert read.raw("a") == "1"
    assert read.raw("b") == "é x"
    assert "d" in read
    assert read.raw("e") is None


@pytest.mark.parametrize(
    ("query", "body", "number"),
    [
        (b"a=1&a=1", b"", -1101),
        (b"a=1", b"a=2", -1101),  # Which one was meant? Neither.
        (b"a=1&%61=2", b"", -1101),
        (b"a=%", b"", -1100),
        (b"a=%zz", b"", -1100),
        (b"a=%ff", b"", -1100),
        (b"a=%00", b"", -1100),
        (b"%ff=1", b"", -1100),
        (b"a=" + b"x" * 9_000, b"", -1101),
        (b"&".join(b"p%d=1" % n for n in range(40)), b"", -1101),
    ],
)
def test_what_is_no_form_is_refused(query, body, number):
    with pytest.raises(DialectRefusal) as refused:
        params.parse(query, body)
    assert refused.value.number == number


def test_a_limit_above_the_most_means_the_most():
    assert params.Params({"limit": "9999"}).limit(default=100, most=1_000) == 1_000
    assert params.Params({}).limit(default=100, most=1_000) == 100
    with pytest.raises(DialectRefusal):
        params.Params({"limit": "0"}).limit(default=100, most=1_000)


GARBAGE = st.binary(max_size=120) | st.lists(
    st.tuples(
        st.sampled_from([*sorted(endpoints.NEW_ORDER), "x", "%", ""]),
        st.sampled_from(
            ["", "0", "-1", "1e9", "NaN", "9" * 30, "%ff", "%C3%28", "BUY", "é", "\x00"]
        )
        | st.text(max_size=20),
    ),
    max_size=12,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "ignore"))


@settings(max_examples=400, deadline=None)
@given(query=GARBAGE, body=GARBAGE)
def test_garbage_earns_a_refusal_and_never_a_fault(query, body):
    """Whatever comes, it is read or refused as the client's mistake: nothing else is raised."""
    try:
        read = params.parse(query, body)
        for check in (signatures.is_hmac, signatures.is_ed25519):
            assert not check(b"k" * 32, signing.signed_bytes(query, body), read.needed("signature"))
        signing.check_time(read, now_ns=1)
        read.check_known(endpoints.NEW_ORDER)
        tickets.ticket_of(read, CATALOGUE)
    except DialectRefusal as refusal:
        is_the_clients = 400 <= refusal.http_status < 500
    else:
        is_the_clients = True
    assert is_the_clients


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(sorted(endpoints.NEW_ORDER)),
    value=st.text(max_size=30) | st.from_regex(r"[0-9]{1,25}(\.[0-9]{0,25})?", fullmatch=True),
)
def test_one_strange_value_in_an_order_is_read_exactly_or_refused(name, value):
    try:
        read = params.parse(query_of(LIMIT | {name: value}), b"")
        ticket = tickets.ticket_of(read, CATALOGUE)
    except DialectRefusal as refusal:
        is_right = 400 <= refusal.http_status < 500
    else:
        is_right = ticket.price_ticks > 0 and ticket.lots > 0
    assert is_right
