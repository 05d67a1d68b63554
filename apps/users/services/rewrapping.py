"""After a change of the key of keys: seal anew what is sealed under another one.

Rows are taken in batches, by number, and each is replaced only if it is still what was read: what
was changed or forgotten meanwhile stays so, and nobody waits. What is done is not looked at again,
so that a run that was broken off goes on by being started again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from django.db import models, transaction
from django.db.models.functions import Substr

from apps.common import audit
from apps.users import sealing
from apps.users.models import ApiKey, AuthenticatorApp, KeptKey, Mail
from apps.users.services import kept_keys, mail

BATCH = 200


@dataclass(frozen=True)
class Column:
    """A column of sealed values, and what each is bound to."""

    name: str  # "users.ApiKey.sealed_secret", for people.
    rows: Callable[[], models.QuerySet[Any]]
    field: str
    bound_to: Callable[[Any], str]


class Rewrapped(msgspec.Struct, kw_only=True):
    """What became of one column."""

    column: str
    left: int = 0  # Sealed under another key than the one in use.
    done: int = 0
    closed: list[Any] = msgspec.field(default_factory=list)  # Rows that no key opens.


COLUMNS = (
    Column("users.KeptKey.sealed", KeptKey.objects.all, "sealed", kept_keys.bound_to),
    Column(
        "users.ApiKey.sealed_secret",
        ApiKey.objects.all,
        "sealed_secret",
        lambda key: str(key.public_id),
    ),
    Column(
        "users.AuthenticatorApp.sealed_secret",
        AuthenticatorApp.objects.all,
        "sealed_secret",
        lambda app: AuthenticatorApp.bound_to(app.user_id),
    ),
    Column("users.Mail.sealed_text", Mail.objects.all, "sealed_text", mail.bound_to),
)


def count_left(column: Column) -> Rewrapped:
    """Say how many values of a column are sealed under another key than the one in use."""
    return Rewrapped(column=column.name, left=_left(column).count())


def rewrap(column: Column, *, batch: int = BATCH) -> Rewrapped:
    """Seal a column's values under the key in use, and say what became of them."""
    told = Rewrapped(column=column.name)
    for rows in _batches(column, batch):
        with transaction.atomic():
            for row in rows:
                _rewrap_row(column, row, told)
    told.left = _left(column).count()
    if told.done:
        with transaction.atomic():
            audit.record(
                "keys.rewrapped",
                subject="keys",
                actor="system",
                column=column.name,
                rows=told.done,
                key=sealing.key_in_use().number.hex(),
            )
    return told


def _rewrap_row(column: Column, row: Any, told: Rewrapped) -> None:
    before, name = bytes(getattr(row, column.field)), column.bound_to(row)
    try:
        secret = sealing.unseal(before, bound_to=name)
    except InvalidTag:
        told.closed.append(row.pk)
        return
    after = sealing.seal(secret, bound_to=name)
    unchanged = column.rows().filter(**{"pk": row.pk, column.field: before})
    told.done += unchanged.update(**{column.field: after})


def _batches(column: Column, size: int) -> Iterator[list[Any]]:
    """Walk what is left by its number, so that no row is met twice in a run."""
    rows = list(_left(column)[:size])
    while rows:
        yield rows
        rows = list(_left(column).filter(pk__gt=rows[-1].pk)[:size])


def _left(column: Column) -> models.QuerySet[Any]:
    head = Substr(column.field, 1, sealing.HEAD_BYTES, output_field=models.BinaryField())
    kept = column.rows().filter(**{f"{column.field}__isnull": False}).annotate(sealed_head=head)
    return kept.exclude(sealed_head=sealing.key_in_use().head).order_by("pk")
