"""The web page trades through the same doors: a cookie and a CSRF header, not a signature."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.middleware.csrf import _get_new_csrf_string
from django.test import AsyncClient

from apps.users import contracts, selectors, sessions
from apps.users.session_store import SessionStore
from tests.orders.conftest import in_thread
from tests.orders.dialect_cases import LIMIT


def _log_in(user_id: int) -> str:
    """Open a session as the log-in does; return its key."""
    request = HttpRequest()
    request.user, request.session = AnonymousUser(), SessionStore()
    user = selectors.main_account(user_id).user
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    sessions.begin(request.session, now=time.time(), is_staff=False)
    sessions.note_factor(request.session, kind="totp", now=time.time())
    request.session.save()
    return request.session.session_key


@pytest.fixture
async def page(alice) -> Any:
    """Return a browser's way to send, with the cookies of a log-in."""
    client, token = AsyncClient(enforce_csrf_checks=True), _get_new_csrf_string()
    client.cookies["sessionid"] = key = await in_thread(_log_in, alice.user_id)
    client.cookies["csrftoken"] = token

    async def send(method: str, path: str, *, proof: str = token, **params: str) -> Any:
        is_form = method == "POST"
        return await client.generic(
            method,
            f"/api/v3/{path}" + ("" if is_form else f"?{urlencode(params)}"),
            urlencode(params) if is_form else "",
            content_type="application/x-www-form-urlencoded",
            headers={"X-CSRFToken": proof} if proof else {},
        )

    send.session_key = key
    return send


async def test_a_logged_in_person_places_an_order(page, alice, postbox):
    answer = await page("POST", "order", **LIMIT)

    assert answer.status_code == 200, answer.content
    (order,) = postbox.orders
    assert (order.account, order.derived) == (alice.account, False)


async def test_two_equal_clicks_are_two_orders(page, postbox):
    await page("POST", "order", **LIMIT)
    await page("POST", "order", **LIMIT)

    first, second = postbox.orders
    assert first.client_id != second.client_id


@pytest.mark.parametrize("proof", ["", "x" * 32])
async def test_another_sites_page_changes_nothing(page, postbox, proof):
    placed = await page("POST", "order", proof=proof, **LIMIT)
    canceled = await page("DELETE", "openOrders", proof=proof, symbol="BTCUSDT")

    assert [placed.status_code, canceled.status_code] == [403, 403]
    assert postbox.sent == []


async def test_a_log_in_that_ended_ends_at_every_edge(page, edge, postbox):
    assert (await page("POST", "order/test", **LIMIT)).status_code == 200

    name = sessions.name_of(page.session_key)
    edge.memory.take(contracts.Changed("session", name, True))

    assert (await page("POST", "order", **LIMIT)).status_code == 401
    assert postbox.sent == []


async def test_a_cookie_of_nobody_is_refused(page, postbox, alice):
    client = AsyncClient()
    client.cookies["sessionid"] = "a" * 32

    answer = await client.get("/api/v3/openOrders")

    assert (answer.status_code, answer.json()["code"]) == (401, -2015)
