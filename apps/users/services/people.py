"""What can be done about people who log in.

A person begins with the proof of their address: until then there is a wish to be one
(`PendingSignUp`), by which nobody logs in. Nothing here tells a stranger who is known.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.common import audit
from apps.common.errors import Refusal
from apps.users import selectors
from apps.users.contracts import STAFF_ROLES
from apps.users.models import PendingSignUp, Proof, User
from apps.users.services import accounts, announcing, mail, proofs

DEMO_DOMAIN = "fairbook.example"
HOME = "CH"  # Where people live whom the exchange makes by itself: staff, the demo's traders.
_SIGN_UP = (Proof.Purpose.SIGN_UP,)


class WeakPassword(Refusal):
    """The password is too short, well known, lost by somebody, or the address itself."""

    code = "weak_password"


class Claim(NamedTuple):
    """What came of a log-in name and a password."""

    owner: User | None  # Whose name it is, whether the password is theirs or not.
    is_right: bool


def full_login(login: str) -> str:
    """Return the e-mail address behind a log-in name; the demo's people have short ones."""
    login = login.strip().lower()
    return f"{login}@{DEMO_DOMAIN}" if settings.DEMO and login and "@" not in login else login


def short_login(email: str) -> str:
    """Return the name that a person logs in by."""
    return email.removesuffix(f"@{DEMO_DOMAIN}") if settings.DEMO else email


def check_password_is_strong(password: str, *, email: str, full_name: str = "") -> None:
    """Refuse a password that is too short, well known, lost in a breach, or little but names."""
    try:
        validate_password(password, User(email=email, full_name=full_name))
    except ValidationError as error:
        text = " ".join(error.messages)
        raise WeakPassword(text, fields={"password": error.messages}) from None


# -- becoming somebody


@transaction.atomic(durable=True)
def sign_up(*, email: str, password: str, full_name: str, country: str, language: str = "") -> None:
    """Mail the address what it needs to become a person, or that it is known. Says neither.

    Both ways hash once and mail once. Refuses a weak password, before it looks whose address it is.
    """
    email = email.lower()
    check_password_is_strong(password, email=email, full_name=full_name)
    hashed = make_password(password)
    known = selectors.user_by_email(email)
    if not proofs.may_mail("sign-up", email):
        return
    if known is not None:
        mail.tell_user("address_known", known, login_url=mail.site_url("/login/"))
        return
    wish = PendingSignUp.objects.create(
        email=email, password=hashed, full_name=full_name, country=country, language=language
    )
    _mail_proof(wish)


@transaction.atomic(durable=True)
def prove_sign_up(word: str) -> int:
    """Make the person whose address the word proves, with an account; return their number.

    The person first, then the word: whoever waits for another sign-up of this address to commit
    must hold nothing that the other wants to tidy up.
    """
    proof = proofs.look_at(word, purposes=_SIGN_UP)
    wish = cast("PendingSignUp", proof.sign_up)  # Of no other purpose: it was asked for by it.
    user = User(email=wish.email, full_name=wish.full_name, country=wish.country)
    user.password, user.language = wish.password, wish.language
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # Two sign-ups of one address, and the other was proven first.
        raise proofs.BadProof("This address has an account already. Log in.") from None
    proofs.use(word, purposes=_SIGN_UP)
    PendingSignUp.objects.filter(email=wish.email).delete()
    who = f"user:{user.pk}"
    audit.record("user.registered", subject=who, actor=who)
    accounts.create_account(user_id=user.pk, kyc_tier=0)
    return user.pk


@transaction.atomic
def register(
    *, email: str, password: str, full_name: str = "", role: str = "", country: str = HOME
) -> int:
    """Make a person whose address counts as proven, of the staff if a role is named.

    Returns their number. Repeated, it gives them this password, if theirs is another, and changes
    nothing else.
    """
    known = selectors.user_by_email(email)
    if known is not None:
        if not known.check_password(password):
            known.set_password(password)
            known.save(update_fields=["password"])
            announcing.look_again_at(known.pk)
        if not known.country:  # Made before people had one.
            known.country = country
            known.save(update_fields=["country"])
            announcing.look_again_at(known.pk)
        return known.pk
    user = User.objects.create_user(
        email,
        password,
        full_name=full_name,
        country=country,
        is_staff=role in STAFF_ROLES,
        is_superuser=role == "admin",
    )
    if role in STAFF_ROLES:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    audit.record("user.registered", subject=f"user:{user.pk}", actor="system", role=role)
    return user.pk


@transaction.atomic(durable=True)
def choose_language(user_id: int, language: str) -> None:
    """Write this person's mails in that language from now on."""
    User.objects.filter(pk=user_id).update(language=language)


# -- being recognised


def with_password(*, email: str, password: str) -> Claim:
    """Say whom an address names, and whether the password is theirs. One hash, whoever it is.

    The right password of an address that is not proven yet is wrong as well, and mails its proof
    once more.
    """
    email = email.lower()
    user = selectors.user_by_email(email)
    wish = PendingSignUp.objects.filter(email=email).order_by("-pk").first()
    if user is not None:
        return Claim(user, user.check_password(password) and user.is_active)
    if wish is None:
        make_password(password)
    elif check_password(password, wish.password):
        _mail_proof_again(wish)
    return Claim(None, is_right=False)


@transaction.atomic
def _mail_proof_again(wish: PendingSignUp) -> None:
    if proofs.may_mail("sign-up", wish.email):
        PendingSignUp.objects.filter(pk=wish.pk).update(asked_at=timezone.now())
        _mail_proof(wish)


def _mail_proof(wish: PendingSignUp) -> None:
    word = proofs.make(Proof.Purpose.SIGN_UP, email=wish.email, sign_up=wish)
    link = mail.site_url(f"/verify/#{word}")
    mail.tell("prove_address", to=wish.email, language=wish.language, link=link)
