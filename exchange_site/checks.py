"""System checks: an unsafe mix refuses to start."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from apps.common.config import BadSetting, config

_SHORTEST_SECRET = 32


@register()
def settings_can_be_read(**_kwargs: Any) -> list[CheckMessage]:
    """Name every setting that is missing or malformed."""
    try:
        config.table()
    except BadSetting as error:
        return [Error(str(error), id="fairbook.E001")]
    return []


@register()
def production_is_safe(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse a production with demo parts, debug pages, weak secrets or open hosts."""
    if settings.FAIRBOOK_ENV != "production":
        return []
    beliefs = [
        (not settings.DEBUG, "E010", "FAIRBOOK_DEBUG is on: debug pages show secrets"),
        (not settings.DEMO, "E011", "demo parts are on: demo users have known passwords"),
        (
            not config.is_set("FAIRBOOK_BOTS") or not config.flag("FAIRBOOK_BOTS"),
            "E012",
            "FAIRBOOK_BOTS is on: bots trade with demo users",
        ),
        (_is_long_or_not_ours(), "E013", "FAIRBOOK_SECRET_KEY is too short"),
        ("*" not in settings.ALLOWED_HOSTS, "E014", "FAIRBOOK_ALLOWED_HOSTS answers to any name"),
        (
            config.text("FAIRBOOK_PUBLIC_URL").startswith("https://"),
            "E015",
            "FAIRBOOK_PUBLIC_URL is not https",
        ),
        (not apps.is_installed("apps.demo"), "E016", "the demo app is installed"),
        (
            config.is_withheld("FAIRBOOK_KEY_ENCRYPTION_KEY")
            or _is_hex_key(config.text("FAIRBOOK_KEY_ENCRYPTION_KEY")),
            "E017",
            "FAIRBOOK_KEY_ENCRYPTION_KEY is not 64 hex digits",
        ),
        (
            _is_hex_key(config.text("FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY") or "00" * 32),
            "E019",
            "FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY is not 64 hex digits",
        ),
        (settings.STAFF_PASSKEY, "E018", "FAIRBOOK_STAFF_PASSKEY is off: staff can be phished"),
    ]
    return [Error(text, id=f"fairbook.{number}") for ok, number, text in beliefs if not ok]


def refuse_to_serve_unsafely() -> None:
    """Raise what the checks found. Only management commands run them by themselves."""
    if found := [*settings_can_be_read(), *production_is_safe()]:
        raise ImproperlyConfigured("; ".join(f"{error.id}: {error.msg}" for error in found))


def _is_long_or_not_ours() -> bool:
    """Whether the secret key is good, or this process was not given it and cannot use it."""
    if config.is_withheld("FAIRBOOK_SECRET_KEY"):
        return True
    return len(settings.SECRET_KEY) >= _SHORTEST_SECRET


def _is_hex_key(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == 32
    except ValueError:
        return False
