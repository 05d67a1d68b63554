"""The demo's people and funds. Only where FAIRBOOK_ENV is demo or test; production refuses.

Everything is random and written to `var/demo.json` (mode 600). Seeding again changes nothing that
still works: a person whose password or key is no longer known gets new ones.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.common import outbox
from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.kernel.money import parse_units, wide
from apps.markets import demo as demo_markets
from apps.orders.models import FaucetGrant
from apps.risk.contracts.commands import Deposit
from apps.users import selectors as users
from apps.users.contracts import STAFF_ROLES, Standing
from apps.users.services import accounts, codes, keys, people, staff, subaccounts

DAILY_LIMIT = {"USDT": "10000", "BTC": "0.2", "ETH": "4"}  # What the faucet gives per day.


class FaucetDry(Refusal):
    """The account had its share of demo funds for today, or the asset has no faucet."""

    code = "faucet_dry"
    http_status = 409


@dataclass(frozen=True)
class Person:
    """Somebody who is there from the start."""

    login: str
    role: str = "customer"
    tier: int = 0
    vip: int = 0
    funds: tuple[tuple[str, str], ...] = ()
    desks: tuple[str, ...] = ()  # Names of sub-accounts.


_SMALL = (("USDT", "100000"), ("BTC", "2"), ("ETH", "40"))
_LARGE = (("USDT", "5000000"), ("BTC", "100"), ("ETH", "1000"))
_MAKER = (("USDT", "100000000"), ("BTC", "2000"), ("ETH", "40000"))
PEOPLE = (
    Person("alice", tier=2, funds=_SMALL),
    Person("bob", tier=2, funds=_SMALL),
    Person("carol", tier=1, funds=_SMALL),
    Person("dave"),
    Person("acme", tier=4, vip=2, funds=_LARGE, desks=("desk one", "desk two")),
    Person("maker", role="maker", tier=2, vip=6, funds=_MAKER),
    *(Person(f"bot{number}", role="bot", tier=2, funds=_LARGE) for number in (1, 2, 3)),
    *(
        Person(login, role=login.rstrip("12"))
        for login in (
            *("support", "compliance1", "compliance2", "treasury1", "treasury2"),
            *("risk1", "operator", "auditor", "admin"),
        )
    ),
)


def check_is_demo() -> None:
    """Refuse everything here in production."""
    if not settings.DEMO:
        raise Refusal("There is no demo here.")


def file() -> Path:
    """Return where the demo's logins are written."""
    return config.path("FAIRBOOK_VAR") / "demo.json"


def seed() -> list[dict[str, Any]]:
    """Make the demo's people, accounts, keys and funds; return what `demo.json` says of them."""
    check_is_demo()
    known = {entry["login"]: entry for entry in _read().get("users", [])}
    staff.let_staff_in()
    entries = [_settle_in(person, known.get(person.login)) for person in PEOPLE]
    _write({"url": f"http://localhost:{config.integer('FAIRBOOK_PORT')}", "users": entries})
    return entries


def deposit(owner: Standing, *, asset: str, amount: str, reference: str) -> None:
    """Credit demo funds, by a command that leaves when the caller's transaction commits."""
    decimals = {known.code: known.decimals for known in demo_markets.ASSETS}[asset]
    minor = parse_units(amount, decimals=decimals) or 0
    command = Deposit(account=owner.account, asset=asset, amount=wide(minor), reference=reference)
    outbox.send(command, worker=f"risk:{owner.partition}")


def make_trader(
    login: str, *, tier: int = 2, funds: tuple[tuple[str, str], ...] = _SMALL
) -> dict[str, Any]:
    """Make one more person who trades (benches and tests want many)."""
    check_is_demo()
    return _settle_in(Person(login, role="bot", tier=tier, funds=funds), None)


@transaction.atomic(durable=True)
def faucet(*, user_id: int, asset: str) -> str:
    """Give a person today's share of a demo asset, once a day; return the amount."""
    check_is_demo()
    amount, owner = DAILY_LIMIT.get(asset), users.standing_for_user(user_id)
    if amount is None or owner is None:
        raise FaucetDry("There is no faucet for this.", asset=asset)
    today = timezone.now().date()
    _, is_first = FaucetGrant.objects.get_or_create(
        account=owner.account, asset=asset, given_on=today
    )
    if not is_first:
        raise FaucetDry("You had today's share.", asset=asset)
    reference = f"faucet:{owner.account}:{asset}:{today}"
    deposit(owner, asset=asset, amount=amount, reference=reference)
    return amount


@transaction.atomic(durable=True)
def _settle_in(person: Person, known: dict[str, Any] | None) -> dict[str, Any]:
    password = (known or {}).get("password") or secrets.token_urlsafe(15)
    user_id = people.register(
        email=people.full_login(person.login),
        password=password,
        full_name=person.login.capitalize(),
        role=person.role,
    )
    entry = {
        "login": person.login,
        "role": person.role,
        "tier": person.tier,
        "password": password,
        "totp_secret": codes.seed_app(user_id=user_id, secret=(known or {}).get("totp_secret")),
        "api_key": None,
        "api_secret": None,  # nosec B105
    }
    return entry if person.role in STAFF_ROLES else entry | _account(person, user_id, known)


def _account(person: Person, user_id: int, known: dict[str, Any] | None) -> dict[str, Any]:
    standing = users.standing_for_user(user_id)
    if standing is None:
        standing = accounts.create_account(
            user_id=user_id, kyc_tier=person.tier, vip_tier=person.vip
        )
        for asset, amount in person.funds:
            reference = f"seed:{standing.account}:{asset}"
            deposit(standing, asset=asset, amount=amount, reference=reference)
    for desk in person.desks:
        subaccounts.seed_subaccount(user_id=user_id, label=desk)
    key = (known or {}).get("api_key")
    if known and key and users.is_live_key(key, account=standing.account):
        return {"api_key": key, "api_secret": known["api_secret"]}
    made = keys.create_api_key(account=standing.account, label="demo", can_trade=True)
    return {"api_key": made.public_id, "api_secret": made.secret}


def _read() -> dict[str, Any]:
    try:
        return dict(json.loads(file().read_text()))
    except (OSError, ValueError):
        return {}


def _write(content: dict[str, Any]) -> None:
    draft = file().with_suffix(".tmp")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        json.dump(content, out, indent=1)
        out.write("\n")
    draft.replace(file())
