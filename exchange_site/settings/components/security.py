"""Passwords, cookies, and what browsers are told."""

import re
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from apps.common.config import config

PASSWORD_HASHERS = ["exchange_site.hashers.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "apps.users.breached.BreachedPasswordValidator"},
    {"NAME": "apps.users.breached.AddressAsPasswordValidator"},
    {"NAME": "apps.users.context_words.ContextWordsValidator"},
]

# Counts tries before it hashes (apps/users/services/attempts.py), for every log-in form there is.
AUTHENTICATION_BACKENDS = ["apps.users.backends.PasswordBackend"]

# Passkeys belong to one name, and are asked for on our own pages only.
_port, _edges = config.integer("FAIRBOOK_PORT"), config.integer("FAIRBOOK_EDGES")
_public = config.text("FAIRBOOK_PUBLIC_URL").rstrip("/")
OTP_WEBAUTHN_RP_NAME = "Fairbook"
OTP_WEBAUTHN_RP_ID = (urlsplit(_public).hostname if _public else "") or "localhost"
OTP_WEBAUTHN_ALLOWED_ORIGINS = (
    [_public]
    if _public
    else [f"http://localhost:{port}" for port in range(_port, _port + max(1, _edges))]
)
STAFF_PASSKEY = config.flag("FAIRBOOK_STAFF_PASSKEY")

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_SAVE_EVERY_REQUEST = False
DEVICE_COOKIE_NAME = "device"
THEME_COOKIE_NAME = "theme"  # Pages write it (static/js/lib/theme.js).
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # No cookie of its own.
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = False  # Our own pages read it to send X-CSRFToken.

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# Papers of identity checks are larger than any other body. They stay in memory: Django would spool
# them to disk in the clear. Both numbers hold for these addresses only (exchange_site/asgi.py).
UPLOAD_PATHS = re.compile(r"/api/v1/kyc/applications/[^/]+/documents")
UPLOAD_MAX_SIZE = 8 * 1024 * 1024 + 64 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_SIZE
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
