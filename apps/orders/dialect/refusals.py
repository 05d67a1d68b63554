"""The dialect's refusals: numbers, sentences, and the one table from engines' words to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.common.errors import Refusal
from apps.risk.engine import codes as risk
from apps.users.standing.codes import NOT_FOR_CERTAIN
from matching_worker.engine import codes as book


class DialectRefusal(Refusal):
    """A no in the dialect's words: a negative number, and a sentence that clients compare."""

    code = "dialect"

    def __init__(
        self,
        number: int,
        text: str,
        *,
        status: int = 400,
        retry_after_s: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(text, retry_after_s=retry_after_s)
        self.number = number
        self.http_status = status
        self.headers = headers or {}

    def as_json(self) -> dict[str, Any]:
        """Return what the dialect answers."""
        return {"code": self.number, "msg": self.message}


class ReplacedInPart(DialectRefusal):
    """A cancel-replace of which something failed: both answers stand in its data."""

    def __init__(self, number: int, text: str, *, status: int, answers: dict[str, Any]) -> None:
        super().__init__(number, text, status=status)
        self.answers = answers

    def as_json(self) -> dict[str, Any]:
        """Return what the dialect answers, and what became of either half."""
        return super().as_json() | {"data": self.answers}


class NotPermitted(DialectRefusal):
    """The account may not do this. Its data says why not, in words of `users.standing.codes`."""

    def __init__(self, number: int, text: str, *, reasons: Sequence[str]) -> None:
        super().__init__(number, text)
        self.reasons = list(reasons)

    def as_json(self) -> dict[str, Any]:
        """Return what the dialect answers, and the reasons."""
        return super().as_json() | {"data": {"reasons": self.reasons}}


# ── What is wrong with a request ────────────────────────────────────────────────────────────────


def illegal_characters(name: str, pattern: str) -> DialectRefusal:
    """The value is no word of the parameter's language."""
    return DialectRefusal(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'."
    )


def undecodable() -> DialectRefusal:
    """The bytes are no form-encoded text."""
    return DialectRefusal(-1100, "Illegal characters found in a parameter.")


def duplicate() -> DialectRefusal:
    """A parameter was sent more than once."""
    return DialectRefusal(-1101, "Duplicate values for a parameter detected.")


def too_many_parameters() -> DialectRefusal:
    """More parameters than any endpoint knows."""
    return DialectRefusal(-1101, "Too many parameters sent for this endpoint.")


def mandatory(name: str) -> DialectRefusal:
    """A parameter is missing."""
    return DialectRefusal(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def one_of(first: str, second: str) -> DialectRefusal:
    """Neither of two parameters is there."""
    return DialectRefusal(
        -1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!"
    )


def unread(*, read: int, sent: int) -> DialectRefusal:
    """Parameters that belong to another endpoint."""
    return DialectRefusal(
        -1104,
        f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.",
    )


def empty(name: str) -> DialectRefusal:
    """A parameter was sent without a value."""
    return DialectRefusal(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> DialectRefusal:
    """A parameter that this kind of order has no use for."""
    return DialectRefusal(-1106, f"Parameter '{name}' sent when not required.")


def too_precise(name: str) -> DialectRefusal:
    """More decimals than the asset has here."""
    return DialectRefusal(-1111, f"Parameter '{name}' has too much precision.")


def filter_failure(name: str) -> DialectRefusal:
    """The numbers break one of the market's published filters."""
    return DialectRefusal(-1013, f"Filter failure: {name}")


def bad_time_in_force() -> DialectRefusal:
    """No time in force of ours."""
    return DialectRefusal(-1115, "Invalid timeInForce.")


def bad_type() -> DialectRefusal:
    """No order type of ours."""
    return DialectRefusal(-1116, "Invalid orderType.")


def bad_side() -> DialectRefusal:
    """Neither BUY nor SELL."""
    return DialectRefusal(-1117, "Invalid side.")


def bad_interval() -> DialectRefusal:
    """No candle interval of ours."""
    return DialectRefusal(-1120, "Invalid interval.")


def bad_symbol() -> DialectRefusal:
    """No market of ours."""
    return DialectRefusal(-1121, "Invalid symbol.")


def bad_listen_key() -> DialectRefusal:
    """The listen key is unknown, or another's."""
    return DialectRefusal(-1125, "This listenKey does not exist.")


def bad_combination() -> DialectRefusal:
    """Optional parameters that exclude each other."""
    return DialectRefusal(-1128, "Combination of optional parameters invalid.")


def bad_value(name: str) -> DialectRefusal:
    """A value that the parameter does not take."""
    return DialectRefusal(-1130, f"Data sent for parameter '{name}' is not valid.")


# ── Who asks, and when ──────────────────────────────────────────────────────────────────────────


def outside_window() -> DialectRefusal:
    """The request is older than its window."""
    return DialectRefusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def from_the_future() -> DialectRefusal:
    """The client's clock runs ahead."""
    return DialectRefusal(
        -1021, "Timestamp for this request was 1000ms ahead of the server's time."
    )


def repeated() -> DialectRefusal:
    """The same signed bytes again, without a client id of their own."""
    return DialectRefusal(
        -1021, "This request was sent before; its timestamp is outside of the recvWindow."
    )


def bad_signature() -> DialectRefusal:
    """The signature is not this request's."""
    return DialectRefusal(-1022, "Signature for this request is not valid.")


def window_too_long() -> DialectRefusal:
    """More than the longest window."""
    return DialectRefusal(-1131, "recvWindow must be less than 60000")


def bad_key_format() -> DialectRefusal:
    """No API key, or none that could be one."""
    return DialectRefusal(-2014, "API-key format invalid.", status=401)


def bad_key() -> DialectRefusal:
    """An unknown or ended key, or one that may not do this."""
    return DialectRefusal(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def market_not_allowed(number: int) -> DialectRefusal:
    """The key has a list of markets, and this one is not on it (−2010 orders, −2011 cancels)."""
    return DialectRefusal(number, "Symbol not whitelisted for API key.")


def too_much_weight(limit: int, wait_s: int) -> DialectRefusal:
    """The account or address used up its minute."""
    return DialectRefusal(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        status=429,
        retry_after_s=wait_s,
    )


def too_many_new_orders(limit: int, wait_s: int) -> DialectRefusal:
    """The account used up its ten seconds."""
    return DialectRefusal(
        -1015,
        f"Too many new orders; current limit is {limit} orders per 10 SECOND.",
        status=429,
        retry_after_s=wait_s,
    )


# ── What the exchange cannot do at the moment ───────────────────────────────────────────────────


def unknown_outcome() -> DialectRefusal:
    """The request was written, and no answer came in time. Ask for the order by its client id."""
    return DialectRefusal(
        -1007,
        "Timeout waiting for response from backend server. "
        "Send status unknown; execution status unknown.",
        status=504,
    )


def not_now(reason: str = "") -> DialectRefusal:
    """Nothing was written. New orders wait; cancels pass."""
    return DialectRefusal(
        -1016, reason or "This service is no longer available.", status=503, retry_after_s=2
    )


def catching_up() -> DialectRefusal:
    """A read that cannot be answered for certain yet."""
    return DialectRefusal(
        -1008,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
        status=503,
        retry_after_s=1,
    )


def replaced_in_part(
    *, canceled: bool, placed: bool | None, answers: tuple[Any, Any]
) -> ReplacedInPart:
    """Something of a cancel-replace failed. `placed` is None if it was not tried."""
    words = {True: "SUCCESS", False: "FAILURE", None: "NOT_ATTEMPTED"}
    is_partial = canceled or bool(placed)
    number, how = (-2021, "partially failed") if is_partial else (-2022, "failed")
    return ReplacedInPart(
        number,
        f"Order cancel-replace {how}.",
        status=409 if is_partial else 400,
        answers={
            "cancelResult": words[canceled],
            "newOrderResult": words[placed],
            "cancelResponse": answers[0],
            "newOrderResponse": answers[1],
        },
    )


def no_such_list() -> DialectRefusal:
    """Another's list of orders and no list look the same from here."""
    return DialectRefusal(-2018, "Order list does not exist.")


def prices_unrelated() -> DialectRefusal:
    """The two prices of a list stand on the wrong sides of each other."""
    return rejected("The relationship of the prices for the orders is not correct.")


def no_such_order() -> DialectRefusal:
    """Another's order and no order look the same from here."""
    return DialectRefusal(-2013, "Order does not exist.")


def nothing_to_cancel() -> DialectRefusal:
    """It does not rest, and can no longer arrive."""
    return DialectRefusal(-2011, "Unknown order sent.")


def rejected(text: str) -> DialectRefusal:
    """The order was not taken."""
    return DialectRefusal(-2010, text)


# ── Engines' words in the dialect ───────────────────────────────────────────────────────────────

_BALANCE = (-2010, "Account has insufficient balance for requested action.")
_NOT_PERMITTED = (-2010, "This action is disabled on this account.")
_CLOSED = (-1013, "Market is closed.")
_BAD_TERMS = (-1128, "Combination of optional parameters invalid.")

_TABLE: dict[str, tuple[int, str]] = {
    risk.UNKNOWN_ACCOUNT: _NOT_PERMITTED,
    risk.WRONG_PARTITION: _NOT_PERMITTED,
    risk.ACCOUNT_FROZEN: _NOT_PERMITTED,
    risk.UNKNOWN_MARKET: (-1121, "Invalid symbol."),
    risk.MARKET_NOT_OPEN: _CLOSED,
    risk.TOO_LATE: (-1021, "Timestamp for this request is outside of the recvWindow."),
    risk.BAD_PRICE: (-1013, "Filter failure: PRICE_FILTER"),
    risk.BAD_SIZE: (-1013, "Filter failure: LOT_SIZE"),
    risk.BAD_NOTIONAL: (-1013, "Filter failure: NOTIONAL"),
    risk.BAD_TERMS: _BAD_TERMS,
    risk.TOO_MANY_ORDERS: (-1013, "Filter failure: MAX_NUM_ORDERS"),
    risk.INSUFFICIENT_FUNDS: _BALANCE,
    risk.NO_REFERENCE: (-2010, "Market has no reference price yet; send quoteOrderQty."),
    risk.CLIENT_ID_REUSED: (-2010, "Duplicate order sent."),
    risk.TOO_MANY_CLIENT_IDS: (-2010, "Too many client order ids; try again later."),
    book.PRICE_OUT_OF_BAND: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    book.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    book.BOOK_FULL: (-2010, "This symbol takes no more orders at the moment."),
    book.ORDER_EXISTS: (-2010, "Duplicate order sent."),
    book.BAD_CLIENT_ID: _BAD_TERMS,
    book.BAD_BUDGET: _BAD_TERMS,
    book.LOTS_OUT_OF_RANGE: (-1013, "Filter failure: LOT_SIZE"),
    book.NOTIONAL_TOO_SMALL: (-1013, "Filter failure: NOTIONAL"),
    book.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    book.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
    book.NO_MARK: (-2010, "This symbol has no mark price; send workingType=CONTRACT_PRICE."),
    book.BAD_PAIR: (-2010, "Unsupported order combination."),
    book.OTHER_LEG: (-2010, "The other order of the list was not taken."),
}
_AMEND_TABLE: dict[str, tuple[int, str]] = {
    book.UNKNOWN_ORDER: (-2013, "Order does not exist."),
    book.NOT_SMALLER: (-2038, "Order amend (quantity increase) is not supported."),
    book.FILLED_MEANWHILE: (-2038, "The order was filled meanwhile; nothing changed."),
    book.BAD_VERSION: (-2038, "Another change of the order is on its way; nothing changed."),
    risk.AMEND_PENDING: (-2038, "Another change of the order is on its way; nothing changed."),
}


def may_not_trade(reasons: Sequence[str]) -> DialectRefusal:
    """The account may do nothing new, or nobody can say for certain whether it may."""
    if NOT_FOR_CERTAIN.intersection(reasons):
        return not_now("New orders wait: what this account may do is not certain. Cancels pass.")
    return NotPermitted(*_NOT_PERMITTED, reasons=reasons)


def of_engine(code: str) -> DialectRefusal:
    """Say an engine's refusal in the dialect. A word it has no number for is still a plain no."""
    if code == risk.UNDECIDED:
        return unknown_outcome()
    if code == risk.CLIENT_ID_REPEATED:
        return repeated()
    number, text = _TABLE.get(code, (-2010, f"Order was rejected: {code}."))
    return DialectRefusal(number, text)


def of_amend(code: str) -> DialectRefusal:
    """Say why an order was not made smaller."""
    if code in _AMEND_TABLE:
        return DialectRefusal(*_AMEND_TABLE[code])
    return of_engine(code)
