"""The project: its apps, middleware, templates, static files, language and time."""

from apps.common.config import ROOT, config

BASE_DIR = ROOT
FAIRBOOK_ENV = config.env
SECRET_KEY = config.get("FAIRBOOK_SECRET_KEY") or ""
DEBUG = False
ALLOWED_HOSTS = list(config.words("FAIRBOOK_ALLOWED_HOSTS"))

ROOT_URLCONF = "exchange_site.urls"
ASGI_APPLICATION = "exchange_site.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "exchange_site",
    "exchange_site.apps.BackOfficeConfig",  # django.contrib.admin, for staff with a passkey.
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "django_otp",
    "django_otp_webauthn",
    "django_countries",  # For the names of countries in other languages.
    "apps.common",
    "apps.compliance",
    "apps.users",
    "apps.kyc",
    "apps.markets",
    "apps.ledger",
    "apps.proofs",
    "apps.risk",
    "apps.marketdata",
    "apps.orders",
    "apps.monitoring",
    "apps.web",
]

# The way of ordinary pages and of Django REST framework.
MIDDLEWARE = [
    "apps.common.middleware.fixed_headers",
    "apps.common.middleware.correlation",
    "apps.common.middleware.refusals",
    "apps.orders.https_only.https_only",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.orders.middleware.AddressLimit",  # Before anything is read from a server of data.
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.web.middleware.PageLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.users.middleware.SessionLimits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# The way of the trading API (FAST_PATHS, see exchange_site/asgi.py): only middleware that never
# leaves the event loop. Its views authenticate by themselves: API keys, or the session cookie.
FAST_MIDDLEWARE = [
    "apps.common.middleware.fixed_headers",
    "apps.common.middleware.correlation",
    "apps.common.middleware.refusals",
    "apps.orders.https_only.https_only",
]
FAST_PATHS = (
    "/api/v3/order",
    "/api/v3/openOrders",
    "/api/v3/openOrderList",
    "/api/v1/orders/batch",
    "/api/v1/cancelAllAfter",
    "/api/v3/account",
    "/api/v3/userDataStream",
    "/api/v3/ping",
    "/api/v3/time",
    "/health/",
)

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STATICFILES_DIRS = [ROOT / "static"]
SERVESTATIC_USE_FINDERS = True  # Read at start from static/ and the packages: no collecting step.
SERVESTATIC_USE_MANIFEST = False
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_MAX_AGE = 0

# Pages and mails speak these; the API speaks English (apps/web/middleware.py). docs/languages.md
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [ROOT / "exchange_site" / "locale"]
USE_I18N = True
USE_THOUSAND_SEPARATOR = False
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "exchange_site.formats"

LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTH_USER_MODEL = "users.User"
