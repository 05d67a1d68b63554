"""Every word of the engines has a number in the dialect."""

import pytest

from apps.orders.dialect import refusals
from apps.risk.engine import codes as risk
from matching_worker.engine import codes as book

# What an order can be told by a partition (its value commands have other words), and by a book.
RISK_ORDER_CODES = [
    getattr(risk, name)
    for name in (
        "UNKNOWN_ACCOUNT", "WRONG_PARTITION", "ACCOUNT_FROZEN", "UNKNOWN_MARKET", "MARKET_NOT_OPEN",
        "TOO_LATE", "BAD_PRICE", "BAD_SIZE", "BAD_NOTIONAL", "BAD_TERMS", "TOO_MANY_ORDERS",
        "INSUFFICIENT_FUNDS", "NO_REFERENCE", "CLIENT_ID_REUSED", "CLIENT_ID_REPEATED",
        "TOO_MANY_CLIENT_IDS", "UNDECIDED", "BAD_PAIR", "UNKNOWN_ORDER",
    )
]  # fmt: skip
BOOK_CODES = [
    book.TOO_LATE, book.MARKET_NOT_OPEN, book.PRICE_OUT_OF_BAND, book.WOULD_TAKE, book.BOOK_FULL,
    book.TOO_MANY_ORDERS, book.ORDER_EXISTS, book.WRONG_PARTITION, book.BAD_CLIENT_ID,
    book.BAD_TERMS, book.BAD_PRICE, book.BAD_BUDGET, book.LOTS_OUT_OF_RANGE,
    book.NOTIONAL_TOO_SMALL, book.UNKNOWN_ORDER, book.UNDECIDED, book.WOULD_TRIGGER, book.NO_MARK,
    book.BAD_PAIR, book.OTHER_LEG,
]  # fmt: skip
AMEND_CODES = [
    risk.UNKNOWN_ACCOUNT, risk.UNKNOWN_ORDER, risk.TOO_LATE, risk.AMEND_PENDING, risk.BAD_SIZE,
    risk.NOT_SMALLER, book.BAD_VERSION, book.FILLED_MEANWHILE, book.NOT_SMALLER,
    book.LOTS_OUT_OF_RANGE, book.NOTIONAL_TOO_SMALL,
]  # fmt: skip


@pytest.mark.parametrize("code", sorted({*RISK_ORDER_CODES, *BOOK_CODES}))
def test_every_refusal_of_an_order_has_a_sentence_of_its_own(code):
    refusal = refusals.of_engine(code)

    assert refusal.number < 0
    assert code not in refusal.message, "an engine's word reached a client untranslated"


@pytest.mark.parametrize("code", sorted({*AMEND_CODES}))
def test_every_refusal_of_an_amend_has_a_sentence_of_its_own(code):
    assert code not in refusals.of_amend(code).message


def test_an_amend_of_an_order_that_is_not_there_is_told_as_such():
    assert refusals.of_amend(book.UNKNOWN_ORDER).number == -2013
    assert refusals.of_amend(book.NOT_SMALLER).number == -2038


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        (
            risk.INSUFFICIENT_FUNDS,
            -2010,
            "Account has insufficient balance for requested action.",
        ),
        (risk.CLIENT_ID_REUSED, -2010, "Duplicate order sent."),
        (book.WOULD_TAKE, -2010, "Order would immediately match and take."),
        (book.WOULD_TRIGGER, -2010, "Stop price would trigger immediately."),
        (book.PRICE_OUT_OF_BAND, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        (book.UNKNOWN_ORDER, -2011, "Unknown order sent."),
        (risk.TOO_LATE, -1021, "Timestamp for this request is outside of the recvWindow."),
    ],
)
def test_clients_know_these_sentences(code, number, text):
    refusal = refusals.of_engine(code)

    assert refusal.as_json() == {"code": number, "msg": text}


def test_a_repeat_without_a_client_id_is_refused_as_out_of_time():
    assert refusals.of_engine(risk.CLIENT_ID_REPEATED).number == -1021


def test_who_is_undecided_is_told_that_the_outcome_is_unknown():
    refusal = refusals.of_engine(risk.UNDECIDED)

    assert (refusal.number, refusal.http_status) == (-1007, 504)


def test_a_word_without_a_number_is_still_a_plain_no():
    assert refusals.of_engine("new_reason").number == -2010


def test_who_is_too_fast_is_told_when_to_come_again():
    refusal = refusals.too_many_new_orders(100, 7)

    assert (refusal.number, refusal.http_status, refusal.retry_after_s) == (-1015, 429, 7)
    assert refusals.too_much_weight(6_000, 30).number == -1003
