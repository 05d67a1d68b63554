"""Production: no defaults for secrets and hosts, TLS in front, no demo part (see checks.py)."""

from urllib.parse import urlsplit

from apps.common.config import config

DEBUG = config.flag("FAIRBOOK_DEBUG")
DEMO = False

_origin = urlsplit(config.text("FAIRBOOK_PUBLIC_URL"))
CSRF_TRUSTED_ORIGINS = [f"{_origin.scheme}://{_origin.netloc}"]

SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
DEVICE_COOKIE_NAME = "__Host-device"
THEME_COOKIE_NAME = "__Host-theme"
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_NAME = "__Host-language"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
SERVESTATIC_MAX_AGE = 60
