"""Tests: like the demo, with passwords that hash fast."""

from importlib.util import find_spec

from exchange_site.settings.components.base import INSTALLED_APPS

DEMO = True
INSTALLED_APPS = [*INSTALLED_APPS, *(["apps.demo"] if find_spec("apps.demo") else [])]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "exchange_site.hashers.Argon2id",
]
