"""Take a permission away from outside, and the matrix turns red at that door, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.urls import get_resolver
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from apps.common.admin import ReadOnlyAdmin
from apps.kyc import selectors as kyc
from apps.kyc import staff as kyc_staff
from apps.kyc.models import Application
from apps.markets import staff as market_staff
from apps.monitoring import jurisdictions
from apps.monitoring import views as monitoring
from apps.orders import callers, feeds, readmodels, transfers
from apps.orders.models import Transfer
from apps.orders.views import account as account_doors
from apps.users import locks, selectors, signatures, staff
from apps.users.contracts import SessionGrant, Standing
from apps.users.models import ApiKey, TradingAccount
from apps.users.models.devices import DeviceQuerySet
from apps.users.models.keys import ApiKeyQuerySet
from apps.users.services import signed_requests
from apps.users.views.base import CsrfChecked
from tests.security.doors import addresses
from tests.security.table import table

pytestmark = pytest.mark.django_db

SOMEBODY = Standing(
    user_id=1,
    account=1024,
    partition=0,
    kyc_tier=1,
    vip_tier=0,
    may_read=True,
    may_trade=True,
    may_cancel=True,
)
Mutation = Callable[[pytest.MonkeyPatch], None]
KEY, KYC = "/api/v1/account/keys/<str:public_id>", "/api/v1/kyc/applications/<uuid:public_id>"
ACCOUNT = "/admin/users/tradingaccount/<int:number>"
LOOKING = "common.view_outboxmessage"  # What all roles have.


def open_to_all(door: str) -> Mutation:
    """Let a view of Django REST framework ask nobody for anything."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        path = door.partition(" ")[2]
        found = {text: pattern.callback.cls for text, pattern in addresses(get_resolver())
                 if hasattr(pattern.callback, "cls")}  # fmt: skip
        patch.setattr(found[path], "permission_classes", [AllowAny])

    return mutate


def becomes(where: Any, name: str, value: Any) -> Mutation:
    """Put something else in a check's place."""
    return lambda patch: patch.setattr(where, name, value)


def _anybodys_key(*, user_id: int, public_id: str) -> ApiKey | None:
    return ApiKey.objects.live().filter(public_id=public_id).first()


def _anybodys_transfer(*, user_id: int, transfer_id: Any) -> Any:
    return transfers._told([Transfer.objects.get(pk=transfer_id)])[0]


def _anybodys_account(_user_id: int, number: int) -> TradingAccount | None:
    return TradingAccount.objects.filter(number=number).first()


def _anybodys_application(*, user_id: int, public_id: Any) -> Application:
    return Application.objects.get(public_id=public_id)


def _anybodys_order(raw: bytes | None, account: int) -> Any:
    return readmodels._orders.decode(raw) if raw else None


async def _anybodys_stream(request: Any, _edge: Any, caller: Any) -> str:
    return str(caller.params.needed("listenKey"))


async def _everybody(_socket: Any) -> SessionGrant:
    return SessionGrant(standing=SOMEBODY, expires_at=2e9)


def _nothing(*_words: Any, **_named: Any) -> None:
    """Check nothing."""


MUTATIONS: list[tuple[str, str, Mutation]] = [
    *(
        (door, "nobody is asked for", open_to_all(door))
        for door in (
            "GET /api/v1/account/devices",
            "GET /api/v1/kyc/export",
            "POST /api/v1/account/subaccounts",
            "POST /api/v1/kyc/erasure",
            "POST /api/v1/demo/faucet",
        )
    ),
    (f"GET {KEY}", "whose key", becomes(ApiKeyQuerySet, "owned_by", lambda rows, _user: rows)),
    (f"DELETE {KEY}", "whose key", becomes(ApiKeyQuerySet, "owned_by", lambda rows, _user: rows)),
    (f"PATCH {KEY}", "whose key", becomes(locks, "lock_key", _anybodys_key)),
    (
        "DELETE /api/v1/account/devices/<int:number>",
        "whose device",
        becomes(DeviceQuerySet, "owned_by", lambda rows, _user: rows),
    ),
    (
        "GET /api/v1/account/transfers/<uuid:transfer_id>",
        "whose transfer",
        becomes(transfers, "find", _anybodys_transfer),
    ),
    (
        "GET /api/v1/account [of an account]",
        "whose account",
        becomes(selectors, "own_account", _anybodys_account),
    ),
    (
        "POST /api/v1/account/transfers",
        "whose money",
        becomes(selectors, "own_account", _anybodys_account),
    ),
    (
        "PATCH /api/v1/account/subaccounts/<int:number>",
        "whose sub-account",
        becomes(selectors, "own_account", _anybodys_account),
    ),
    (f"GET {KYC}", "whose papers", becomes(kyc, "application_for", _anybodys_application)),
    ("GET /api/v3/order", "whose order", becomes(readmodels, "_order", _anybodys_order)),
    (
        "GET /api/v1/orders/<int:order_id>/life",
        "whose order",
        becomes(readmodels, "_order", _anybodys_order),
    ),
    ("POST /api/v3/order", "may it trade", becomes(callers, "check_may_trade", _nothing)),
    ("DELETE /api/v3/order", "may it cancel", becomes(callers, "check_may_cancel", _nothing)),
    ("POST /api/v1/orders/batch", "may it trade", becomes(callers, "check_may_trade", _nothing)),
    (
        "GET /api/v3/account",
        "who signed",
        becomes(signatures, "is_signed", lambda grant, *_rest: grant is not None),
    ),
    (
        "GET /api/v1/account",
        "who signed",
        becomes(signed_requests.signatures, "is_signed", lambda grant, *_rest: grant is not None),
    ),
    (
        "DELETE /api/v3/userDataStream",
        "whose stream",
        becomes(account_doors, "_own_stream", _anybodys_stream),
    ),
    ("POST /api/v1/users", "whose page", becomes(CsrfChecked, "initial", APIView.initial)),
    ("WS /ws/user", "who logged in", becomes(feeds.UserSocket, "_grant", _everybody)),
    (
        "WS /ws-api/v3",
        "who signed",
        becomes(signatures, "is_signed", lambda grant, *_rest: grant is not None),
    ),
    ("GET /admin/", "is it staff", becomes(admin.site, "has_permission", lambda _request: True)),
    (
        "POST /admin/MODEL/<path:object_id>/change/",
        "may it change",
        becomes(ReadOnlyAdmin, "has_change_permission", lambda *_words: True),
    ),
    (f"POST {ACCOUNT}/freeze/", "may it freeze", becomes(staff, "FREEZE", LOOKING)),
    (
        "POST /admin/users/user/<int:number>/log-ins/",
        "may it end log-ins",
        becomes(staff, "END_LOG_INS", LOOKING),
    ),
    (
        "POST /admin/markets/market/list/",
        "may it list",
        becomes(market_staff, "_check_may", _nothing),
    ),
    (
        "POST /admin/markets/market/<str:symbol>/state/",
        "may it halt",
        becomes(market_staff, "SET_STATE", LOOKING),
    ),
    (
        "POST /admin/kyc/application/<uuid:public_id>/review/",
        "may it review",
        becomes(kyc_staff, "REVIEW", LOOKING),
    ),
    (
        "POST /admin/compliance/rules/<int:number>/",
        "may it decide",
        becomes(jurisdictions, "DECIDE", LOOKING),
    ),
    ("GET /admin/journals/", "has it a role", becomes(monitoring, "_check_may_look", _nothing)),
]


def test_there_are_enough_of_them():
    assert len({name for name, _, _ in MUTATIONS}) >= 20


@pytest.mark.parametrize(
    ("name", "mutation"),
    [pytest.param(name, change, id=f"{name}: {what}") for name, what, change in MUTATIONS],
)
def test_without_its_check_a_door_is_red(site, monkeypatch, name, mutation):
    row = table().rows[name]
    before = site.survey(row)
    assert before == {caller: {cell} for caller, cell in row.cells.items()}

    mutation(monkeypatch)
    answers = site.answers(row, again=True)

    got = {caller: {answer.cell for answer in said} for caller, said in answers.items()}
    assert got != before, f"the matrix does not see that {name} lets everybody in"
