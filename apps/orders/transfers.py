"""Transfers between the accounts of one person: asked for here, decided by the payer's partition.

The request and its command commit together (the outbox), under a name that the asker chose, so
that asking twice moves once. What became of it is read from the ledger, which books both halves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction

from apps.common import audit, outbox
from apps.common.errors import Refusal
from apps.common.kernel.ids import partition_of
from apps.common.kernel.money import format_units, parse_units, wide
from apps.ledger import selectors as ledger
from apps.ledger.contracts import MoveNow
from apps.markets import selectors as markets
from apps.orders.models import Transfer
from apps.risk.contracts import commands
from apps.users import selectors as users
from apps.users.contracts import Standing
from apps.users.services.accounts import NoSuchAccount

LISTED_MAX = 500


class SameAccount(Refusal):
    """An account pays itself nothing."""

    code = "same_account"


class UnknownAsset(Refusal):
    """There is no such asset here."""

    code = "unknown_asset"


class BadAmount(Refusal):
    """No plain decimal above zero, or finer than the asset is counted."""

    code = "bad_amount"


class ClientIdReused(Refusal):
    """The name belongs to a transfer of other terms."""

    code = "client_id_reused"
    http_status = 409


class NoSuchTransfer(Refusal):
    """Another's transfer and none look the same from here."""

    code = "no_such_transfer"
    http_status = 404


# Word of the API, word of our pages.
STATES = (
    ("pending", "Pending"),
    ("in_transit", "In transit"),
    ("done", "Done"),
    ("refused", "Refused"),
)


class TransferNow(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer, and what has become of it."""

    transfer_id: UUID
    client_id: str
    payer: int
    payee: int
    asset: str
    amount: str
    asked_at: datetime
    state: str  # One of STATES.
    code: str  # Why it was refused.
    done_at: datetime | None


@transaction.atomic(durable=True)
def ask(
    *, user_id: int, payer: int, payee: int, asset: str, amount: str, client_id: str
) -> TransferNow:
    """Ask the payer's partition to move `amount` (a decimal) to another account of this person.

    The same `client_id` with the same terms is the same transfer; with others it is refused, as are
    accounts that are not the person's, unknown assets and amounts that cannot be. Whether the payer
    has it, the partition says later.
    """
    own = {_own(user_id, number).account for number in (payer, payee)}
    if len(own) < 2:
        raise SameAccount("Name two accounts.")
    minor = _minor(asset, amount)
    wanted = Transfer(
        user_id=user_id,
        client_id=client_id,
        payer=payer,
        payee=payee,
        asset=asset,
        amount_minor=minor,
    )
    try:
        with transaction.atomic():
            wanted.save(force_insert=True)
    except IntegrityError:
        return _asked_before(wanted)
    command = commands.Transfer(payer, payee, asset, wide(minor), wanted.reference)
    outbox.send(command, worker=f"risk:{partition_of(payer)}")
    audit.record(
        "transfer.asked",
        subject=f"user:{user_id}",
        actor=f"user:{user_id}",
        transfer=str(wanted.pk),
        payer=payer,
        payee=payee,
        asset=asset,
    )
    return _told([wanted])[0]


def _own(user_id: int, number: int) -> Standing:
    standing = users.standing_for_user(user_id, number=number)
    if standing is None:
        raise NoSuchAccount("There is no such account.")
    return standing


def _minor(asset: str, amount: str) -> int:
    known = markets.catalogue().assets.get(asset)
    if known is None:
        raise UnknownAsset("There is no such asset.", asset=asset)
    minor = parse_units(amount, decimals=known.decimals)
    if not minor:
        raise BadAmount(
            "An amount is a plain decimal above zero, no finer than the asset.",
            decimals=known.decimals,
        )
    return minor


def _asked_before(wanted: Transfer) -> TransferNow:
    first = Transfer.objects.get(user_id=wanted.user_id, client_id=wanted.client_id)
    terms = ("payer", "payee", "asset", "amount_minor")
    if any(getattr(first, name) != getattr(wanted, name) for name in terms):
        raise ClientIdReused("This name belongs to another transfer.", client_id=wanted.client_id)
    return _told([first])[0]


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────


def find(*, user_id: int, transfer_id: UUID) -> TransferNow:
    """Return one of a person's transfers."""
    found = Transfer.objects.filter(user_id=user_id, pk=transfer_id).first()
    if found is None:
        raise NoSuchTransfer("There is no such transfer.")
    return _told([found])[0]


def listed(*, user_id: int, account: int | None = None, limit: int = 100) -> list[TransferNow]:
    """Return a person's transfers (of one account), newest first."""
    rows = Transfer.objects.filter(user_id=user_id)
    if account is not None:
        rows = rows.filter(payer=account) | rows.filter(payee=account)
    return _told(rows.order_by("-asked_at", "-pk")[: max(0, min(limit, LISTED_MAX))])


def _told(rows: Iterable[Transfer]) -> list[TransferNow]:
    transfers = list(rows)
    became = ledger.transfers_named(row.reference for row in transfers)
    return [_one(row, became.get(row.reference, MoveNow())) for row in transfers]


def _one(row: Transfer, became: MoveNow) -> TransferNow:
    is_inside = partition_of(row.payer) == partition_of(row.payee)
    done_at = became.paid_at if is_inside else became.arrived_at
    state = "pending"
    if done_at is not None:
        state = "done"
    elif became.paid_at is not None:
        state = "in_transit"
    elif became.code:
        state = "refused"
    known = markets.catalogue().assets.get(row.asset)
    return TransferNow(
        transfer_id=row.pk,
        client_id=row.client_id,
        payer=row.payer,
        payee=row.payee,
        asset=row.asset,
        amount=format_units(int(row.amount_minor), decimals=known.decimals if known else 0),
        asked_at=row.asked_at,
        state=state,
        code=became.code if state == "refused" else "",
        done_at=done_at,
    )
