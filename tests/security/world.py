"""Alice, an institution with one of everything; Bob, who has nothing of hers; staff of every role.

All of it is in the database when a test begins, because edges read in threads of their own.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import _get_new_csrf_string
from django.utils import timezone

from apps.common.kernel.ids import numbered_in
from apps.compliance import selectors as rules
from apps.compliance import services as compliance
from apps.journals.pressure import KEY as PRESSURE
from apps.markets import demo as demo_markets
from apps.markets import services as markets
from apps.orders import readmodels as rm
from apps.orders import transfers
from apps.orders.projector import store
from apps.orders.projector.folds import Changes
from apps.users import sessions, signatures
from apps.users.contracts import KeyTerms
from apps.users.models import AuthenticatorApp, Device, FactorReset, LogIn, User
from apps.users.services import (
    accounts,
    devices,
    keys,
    open_sessions,
    passwords,
    people,
    subaccounts,
)
from apps.users.services import staff as staff_roles
from apps.users.session_store import SessionStore
from matching_worker.contracts.to_book import OrderExtras
from tests.helpers.factors import give_app
from tests.helpers.mails import word_to
from tests.kyc.stage import Applicant
from tests.security.parts import PASSWORD
from tests.security.table import CALLERS, KEYS, ROLES

HERE = ("127.0.0.0/8",)
SCOPES = {
    "sub": KeyTerms(label="of the desk", can_trade=True),
    "read": KeyTerms(label="reads"),
    "trade": KeyTerms(label="trades", can_trade=True),
    "withdraw": KeyTerms(label="withdraws", can_withdraw=True, networks=HERE),
}
ALL_IS_READ = {"batch": 2**40, "at_ns": 1, "seq": 1, "hash": "00" * 32}


@dataclass
class Caller:
    """Somebody who asks: by a cookie, a key, or neither; each from an address of their own."""

    name: str
    address: str
    user_id: int = 0
    account: int = 1
    key: str = ""
    secret: str = ""
    csrf: str = field(default_factory=_get_new_csrf_string)
    csrf_header: str = ""
    session: str = ""

    def __post_init__(self) -> None:
        """A page of ours sends the cookie's token again, as a header."""
        self.csrf_header = self.csrf

    def log_in(self) -> None:
        """Open a session, as a complete log-in does: staff by a passkey, customers by an app."""
        if self.key or not self.user_id:
            return
        request = HttpRequest()
        request.user, request.session = AnonymousUser(), SessionStore()
        user = User.objects.get(pk=self.user_id)
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        now, kind = time.time(), sessions.PASSKEY if user.is_staff else "totp"
        sessions.begin(request.session, now=now, is_staff=user.is_staff)
        sessions.note_password(request.session, now=now)
        sessions.note_factor(request.session, kind=kind, now=now)
        request.session.save()
        LogIn.objects.filter(session_key=sessions.name_of(self.session)).delete()
        self.session = str(request.session.session_key)
        open_sessions.note(
            self.session, user_id=user.pk, device_id=None, name="A browser", place="Bern"
        )

    @property
    def cookies(self) -> str:
        """What a browser sends along; a key's program sends none."""
        if self.key:
            return ""
        own = {settings.SESSION_COOKIE_NAME: self.session} if self.session else {}
        return "; ".join(
            f"{name}={value}" for name, value in (own | {"csrftoken": self.csrf}).items()
        )

    def signed(self, query: dict[str, Any]) -> str:
        """Sign parameters as the trading dialect does."""
        text = urlencode({"timestamp": int(time.time() * 1000)} | query)
        return f"{text}&signature={self.sign(text.encode())}"

    def sign(self, words: bytes) -> str:
        """Write the signature of some bytes."""
        return hmac.new(self.secret.encode(), words, hashlib.sha256).hexdigest()

    def v1_headers(self, method: str, path: str, query: str, body: bytes) -> dict[str, str]:
        """Sign a request as `/api/v1` wants it."""
        now_ms = str(int(time.time() * 1000))
        signed = signatures.v1_bytes(
            method=method, path=path, query=query.encode(), timestamp=now_ms, window="", body=body
        )
        return {
            "X-Fairbook-Key": self.key,
            "X-Fairbook-Timestamp": now_ms,
            "X-Fairbook-Signature": self.sign(signed),
        }


class World:
    """Everybody, and the names of what is Alice's."""

    def __init__(self, journal: Any, cache: Any) -> None:
        self.journal, self.cache = journal, cache
        staff_roles.let_staff_in()
        for spec in demo_markets.MARKETS:
            markets.list_market(spec, journal=journal)
            markets.open_first(spec.symbol, reason="a test")
        cache.set(PRESSURE, msgspec.msgpack.encode({"refuse": False, "reason": ""}))
        self.callers = {
            name: Caller(name, f"127.0.1.{number}") for number, name in enumerate(CALLERS, 1)
        }
        self.names: dict[str, Any] = {}
        self._people()
        self._things_of_alice()
        self._orders_of_alice()
        self._things_of_staff()
        self._factors()
        for caller in self.callers.values():
            caller.log_in()

    # -- people

    def _people(self) -> None:
        alice = people.register(
            email="alice-the-owner@example.org", password=PASSWORD, full_name="Alice Allowed"
        )
        bob = people.register(email="bob@example.org", password=PASSWORD, full_name="Bob Barred")
        for name, number in (("user", alice), ("other", bob)):
            self.callers[name].user_id = number
            opened = accounts.create_account(user_id=number, kyc_tier=int(name == "other"))
            self.callers[name].account = opened.account
        self._apply(alice)
        accounts.set_kyc_tier(user_id=alice, tier=4, reason="a test")
        desk = subaccounts.open_subaccount(user_id=alice, label="alices-desk").number
        for name in KEYS:
            owner = desk if name == "sub" else self.callers["user"].account
            made = keys.create_api_key(account=owner, terms=SCOPES[name], by=alice)
            caller = self.callers[name]
            caller.key, caller.secret, caller.account = made.public_id, made.secret, owner
        self.callers["forged"].key = self.callers["trade"].key
        self.callers["forged"].secret = "what somebody guessed"
        for role in ROLES:
            email = f"{role}@example.org"
            self.callers[role].user_id = people.register(email=email, password=PASSWORD, role=role)
        bare = User.objects.create_user("bare@example.org", PASSWORD, is_staff=True)
        self.callers["bare"].user_id = bare.pk
        self.names |= {"account": self.callers["user"].account, "desk": desk}

    def _apply(self, alice: int) -> None:
        applicant = Applicant(alice, "Alice Allowed", timezone.now())
        application = applicant.begins(2)
        applicant.answers(application)
        papers = [applicant.sends(application, "selfie")]
        self.paper = applicant.paper("selfie")
        self.names |= {"application": application.public_id, "document": papers[0].public_id}

    # -- things

    def _things_of_alice(self) -> None:
        alice = self.callers["user"]
        key = keys.create_api_key(account=alice.account, terms=KeyTerms(label="alices-label"))
        moved = transfers.ask(
            user_id=alice.user_id,
            payer=alice.account,
            payee=self.names["desk"],
            asset="USDT",
            amount="5",
            client_id="alices-transfer",
        )
        devices.remember(_browser(), HttpResponse(), user_id=alice.user_id)
        self.names |= {
            "key": key.public_id,
            "transfer": moved.transfer_id,
            "device": Device.objects.get(user_id=alice.user_id).pk,
        }
        people.sign_up(
            email="carol@example.org", password=PASSWORD, full_name="Carol", country="CH"
        )
        self.names["sign_up_word"] = word_to("carol@example.org")
        dave = people.register(email="dave@example.org", password=PASSWORD)
        self.names["frozen"] = accounts.create_account(user_id=dave, kyc_tier=1).account
        accounts.set_frozen(number=self.names["frozen"], frozen=True, reason="a test")
        passwords.ask_reset(email="dave@example.org")
        self.names["reset_word"] = word_to("dave@example.org")

    def _orders_of_alice(self) -> None:
        account = self.callers["user"].account
        home = account % 1024
        numbers = [numbered_in(home, counter=counter) for counter in (7, 8, 9)]
        changes = Changes()
        for number, other in zip(numbers, (0, numbers[2], numbers[1]), strict=True):
            changes.orders[number] = _order(account, number, other)
        store.write(self.cache, changes, was_ready=False, ready=True)
        self.cache.hset(rm.position_key(f"risk:{home}"), mapping=ALL_IS_READ)
        self.names |= {
            "order": numbers[0],
            "order_name": f"alices-order-{numbers[0]}",
            "list": numbers[1],
        }

    def _things_of_staff(self) -> None:
        proposer = people.register(email="pia@example.org", password=PASSWORD, role="compliance")
        book = rules.rules_in_force()
        terms = list(book.terms.values())
        changed = msgspec.structs.replace(terms[-1], spot_from=4)
        self.names["rules"] = compliance.propose(
            [*terms[:-1], changed],
            by=proposer,
            reason="a test",
            effective_from=datetime.now(UTC),
            based_on=book.version,
        )

    def _factors(self) -> None:
        """Everybody has an app, Alice is logged in elsewhere too, and Dave has lost what he had."""
        for caller in self.callers.values():
            if caller.user_id and not caller.key:
                give_app(caller.user_id)
        alice = self.callers["user"]
        elsewhere = Caller("elsewhere", "127.0.2.1", user_id=alice.user_id)
        elsewhere.log_in()
        dave = User.objects.get(email="dave@example.org")
        self.names |= {
            "person": dave.pk,
            "app": AuthenticatorApp.objects.get(user_id=alice.user_id).pk,
            "log_in": LogIn.objects.get(user_id=alice.user_id).pk,
            "lost": FactorReset.objects.create(user=dave).pk,
        }

    def names_for(self, caller: Caller) -> dict[str, Any]:
        """Return all names as a request of this caller has them, with a fresh listen key."""
        return self.names | {"own": caller.account}


def _order(account: int, number: int, other: int) -> rm.OrderModel:
    return rm.OrderModel(
        order_id=number,
        version=1,
        account=account,
        client_id=f"alices-order-{number}",
        market="BTC-USDT",
        side="B",
        kind="L",
        tif="GTC",
        post_only=False,
        price_ticks=5_000_001,
        lots=50_000,
        budget=0,
        status="NEW",
        accepted_ns=time.time_ns(),
        updated_ns=time.time_ns(),
        risk_batch=1,
        risk_seq=1,
        risk_hash=bytes(32),
        extras=OrderExtras(),
        other_leg=other,
        other_client_id=f"alices-order-{other}" if other else "",
    )


def _browser() -> Any:
    return SimpleNamespace(COOKIES={}, META={"HTTP_USER_AGENT": "A browser"}, is_secure=bool)
