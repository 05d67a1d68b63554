"""Tests: like the demo, with passwords that hash fast."""

from exchange_site.settings.components.base import INSTALLED_APPS

DEMO = True
INSTALLED_APPS = [*INSTALLED_APPS, "apps.demo"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "exchange_site.hashers.Argon2id",
]
