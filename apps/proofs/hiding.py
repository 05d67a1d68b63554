"""What of a book's messages and state is public, and what stands there instead of the rest.

Every field of every message is either public, a name that gets a pseudonym, or blank. A field or a
part of the state that nobody has decided about is refused here, so nothing new leaks by itself.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from apps.common.kernel.invariants import ensure
from apps.journals.contracts import SkipCommand
from apps.proofs.pseudonyms import DayNames
from matching_worker.contracts.market import MarketSpec
from matching_worker.contracts.to_book import HeldOrder, OrderExtras

ACCOUNTS = frozenset(("account", "maker_account", "taker_account"))
CLIENT_IDS = frozenset(("client_id",))
GROUPS = frozenset(("group",))
INSIDE = frozenset(("order", "extras", "first", "second"))
BLANK = frozenset(("request",))  # Whose answer it is; decides nothing.
BLANK_OF: dict[type, frozenset[str]] = {SkipCommand: frozenset(("reason", "by"))}
PUBLIC = frozenset(
    [
        "budget",
        "cancel_only_s",
        "code",
        "command",
        "deadline_ns",
        "delay_ns",
        "ended",
        "entry",
        "expected_filled",
        "expires_ns",
        "index",
        "kind",
        "lots",
        "maker_order",
        "number",
        "order_id",
        "partition",
        "peer",
        "post_only",
        "post_only_s",
        "ppm",
        "price_ticks",
        "reason",
        "reduce_only",
        "self_trade",
        "seq",
        "side",
        "spec",
        "state",
        "stream",
        "taker_order",
        "taker_side",
        "ticks",
        "time_in_force",
        "trade_id",
        "trades",
        "trail_ppm",
        "trigger",
        "trigger_by",
        "trigger_ticks",
        "up_to",
        "version",
    ]
)
STATE = frozenset(
    [
        "spec",
        "seq",
        "at_ns",
        "rules",
        "state",
        "trades",
        "cuts",
        "first_uncut_ns",
        "reference",
        "peers",
        "orders",
        "tombstones",
        "last_tombstone",
        "mass_cancels",
        "prices",
        "waiting_ever",
        "actions",
        "breaker",
        "switches",
        "mark_number",
    ]
)


def public_message(message: msgspec.Struct, names: DayNames) -> list[Any]:
    """Return a message as it is published: its tag and its fields, in their order."""
    kind = type(message)
    blank = BLANK | BLANK_OF.get(kind, frozenset())
    tag = kind.__struct_config__.tag
    fields: list[Any] = [tag] if tag is not None else []
    for name in kind.__struct_fields__:
        value = getattr(message, name)
        if name in blank:
            value = "" if isinstance(value, str) else 0
        elif name in ACCOUNTS:
            value = names.account(value)
        elif name in CLIENT_IDS:
            value = names.client(message.account, value)  # type: ignore[attr-defined]
        elif name in GROUPS:
            value = names.group(value)
        elif name in INSIDE:
            value = public_message(value, names)
        elif isinstance(value, MarketSpec):
            value = msgspec.to_builtins(value)
        else:
            ensure(name in PUBLIC, f"somebody has decided whether {kind.__name__}.{name} is public")
        fields.append(list(value) if isinstance(value, tuple) else value)
    return fields


def public_state(dumped: object, names: DayNames) -> dict[str, Any]:
    """Return a book's state as it is published: all that decides trades, and nothing of answers."""
    state = dict(cast("dict[str, Any]", dumped))
    undecided = set(state) - STATE
    ensure(not undecided, f"somebody has decided whether {sorted(undecided)} are public")
    state["peers"] = [
        [name, greeted, passed, [0, 0]] for name, greeted, passed, _ in state["peers"]
    ]
    state["orders"] = [_order(row, names) for row in state["orders"]]
    state["tombstones"] = [_tombstone(row, names) for row in state["tombstones"]]
    state["mass_cancels"] = [_mass_cancel(row) for row in state["mass_cancels"]]
    if "switches" in state:
        state["switches"] = [[names.account(a), due_ns] for a, due_ns in state["switches"]]
    return state


def _order(row: list[Any], names: DayNames) -> list[Any]:
    terms, open_lots, filled_lots, cum_quote, *rest = row
    shown = public_message(msgspec.convert(terms, HeldOrder), names)
    if rest:
        extras, *others = rest
        rest = [public_message(msgspec.convert(extras, OrderExtras), names), *others]
    return [shown, open_lots, filled_lots, cum_quote, *rest]


def _tombstone(row: list[Any], names: DayNames) -> list[Any]:
    number, _, account, order_id, client_id, up_to, _, expires_ns, _, _ = row
    client = names.client(account, client_id)
    return [
        number, 0, names.account(account), order_id, client, up_to, "", expires_ns, [], False
    ]  # fmt: skip


def _mass_cancel(row: list[Any]) -> list[Any]:
    _, _, left, _, *rest = row
    code = rest[0] if rest else ""
    return ["", 0, left, [], *([code, False] if code else [])]
