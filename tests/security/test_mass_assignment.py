"""Fields that are not a door's own change nothing, whichever door they come in by.

Every writing door under `/api/v1` gets its own body with foreign fields beside it. It answers as
it does without them, or refuses; and no column that they name has another value behind it. A second
test reads every serializer that takes a body and finds none of these fields in it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from rest_framework import serializers

import apps as ours
from tests.security import parts
from tests.security import site as sites
from tests.security.table import Row, table

pytestmark = pytest.mark.django_db

FOREIGN: dict[str, Any] = {
    "id": 1, "pk": 1, "user": 1, "user_id": 1, "owner": 1, "owner_id": 1, "account_id": 1,
    "is_staff": True, "is_superuser": True, "is_active": False, "role": "admin",
    "groups": ["admin"], "user_permissions": [1], "permissions": ["users.freeze_account"],
    "balance": "1000000", "available": "1000000", "held": "0", "amount_minor": 10**12,
    "fee": "0", "fee_tier": 6, "vip_tier": 6, "maker_ppm": -500, "taker_ppm": 0,
    "kyc_tier": 4, "limits": {"day_usd": None}, "day_cents": None, "month_cents": None,
    "status": "approved", "state": "approved", "decided_by": "user:1", "decided_at": "2020-01-01",
    "reason_code": "papers_are_good", "covers": [], "approved": True, "verified": True,
    "price": "1", "price_ticks": 1, "withdrawals_locked_until": None, "is_frozen": False,
    "frozen_by_house": False, "revoked_at": None, "used_at": None, "can_read": True,
    "sealed_secret": "x", "secret": "x", "public_id": "x" * 64, "partition": 7, "number": 7,
    "created_at": "2020-01-01", "joined_at": "2020-01-01", "last_login": "2020-01-01",
}  # fmt: skip
"""What a client has no business to say anywhere, by the names that columns and answers have."""

BODIES = [
    row
    for row in table().rows.values()
    if row.door.split()[1].startswith("/api/v1/")
    and row.door.split()[0] in ("POST", "PUT", "PATCH")
    and row.name not in {*parts.QUERIES, *parts.UPLOADS}
]


def test_every_writing_door_is_among_them():
    assert len(BODIES) > 15
    assert {"POST /api/v1/users", "POST /api/v1/account/keys"} <= {row.name for row in BODIES}


@pytest.mark.parametrize("row", BODIES, ids=lambda row: row.name)
@pytest.mark.parametrize("name", ["user", "other"])
def test_foreign_fields_change_nothing(site, monkeypatch, row, name):
    without, kept = asked(site, monkeypatch, row, name, {})
    own = set(parts.BODIES.get(row.name, {}))
    foreign = {field: value for field, value in FOREIGN.items() if field not in own}

    answer, changed = asked(site, monkeypatch, row, name, foreign)

    assert answer.status in (without.status, 400)
    if answer.status == without.status:
        assert changed == kept, "a field that is not the door's own had an effect"


def asked(
    site: Any, monkeypatch: pytest.MonkeyPatch, row: Row, name: str, foreign: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Ask with foreign fields; return the answer, and all rows as they were before the undoing."""
    seen: dict[str, Any] = {}
    undo, people = sites._undo, site.world.callers.values()
    numbers = {number for one in people for number in (one.user_id, one.account)}
    known = {str(number) for number in numbers if number > 1}  # 1 is nobody's yet.

    def look_then_undo(block: Any) -> None:
        seen.update(columns(known))
        undo(block)

    with monkeypatch.context() as patch:
        patch.setattr(sites, "_undo", look_then_undo)
        patch.setitem(parts.BODIES, row.name, parts.BODIES.get(row.name, {}) | foreign)
        (answer,) = site.ask(row.name, site.world.callers[name])
    return answer, seen


def columns(known: set[str]) -> dict[str, Any]:
    """Return which values stand in each column that a foreign field names.

    A row that the request made has a number of its own each time: it is "new", unless `known`.
    """
    found: dict[str, Any] = {}
    for model in apps.get_models():
        if not model.__module__.startswith("apps."):
            continue
        names = [f.attname for f in model._meta.concrete_fields if is_counted(f)]
        for name in names:
            values = model._default_manager.values_list(name, flat=True)
            words = [str(value) for value in values]
            if name.endswith("_id"):
                words = [word if word in known else "new" for word in words]
            found[f"{model._meta.label}.{name}"] = sorted(words)
    return found


def is_counted(field: models.Field) -> bool:
    """Whether two equal requests leave equal values in a column."""
    is_made = field.primary_key or field.unique or isinstance(field, models.BinaryField)
    is_time = isinstance(field, models.DateTimeField | models.DateField | models.UUIDField)
    return field.attname in FOREIGN and not is_made and not is_time


# ── Serializers ─────────────────────────────────────────────────────────────────────────────────


def serializers_in() -> Iterator[type[serializers.Serializer]]:
    """Return every serializer of ours that takes a body: its name ends with In."""
    for module in pkgutil.walk_packages(ours.__path__, "apps."):
        if "serializers" not in module.name and ".views" not in module.name:
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            is_ours = getattr(thing, "__module__", "") == module.name and isinstance(thing, type)
            if is_ours and issubclass(thing, serializers.Serializer) and _takes(thing):
                yield thing


def _takes(thing: type) -> bool:
    return thing.__name__.endswith("In")


TAKERS = sorted(set(serializers_in()), key=lambda one: one.__name__)


def test_all_serializers_are_found():
    assert len(TAKERS) >= 15
    assert not [one for one in TAKERS if issubclass(one, serializers.ModelSerializer)], (
        "a serializer that takes a body names its fields one by one"
    )


@pytest.mark.parametrize("taker", TAKERS, ids=lambda one: one.__name__)
def test_no_serializer_takes_what_is_not_its_to_take(taker):
    fields = {name for name, field in taker().get_fields().items() if not field.read_only}

    assert not fields & set(FOREIGN)
    body = taker(data=FOREIGN)
    body.is_valid()
    assert not set(getattr(body, "validated_data", {})) & set(FOREIGN)
