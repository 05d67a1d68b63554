"""Tests: like the demo, with passwords that hash fast."""

DEMO = True
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "exchange_site.hashers.Argon2id",
]
