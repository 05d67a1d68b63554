"""Mails leave by SMTP in production only; elsewhere they stay in their table (/demo/mail)."""

from apps.common.config import config

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if config.is_production
    else "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_HOST = config.text("FAIRBOOK_SMTP_HOST")
EMAIL_PORT = config.integer("FAIRBOOK_SMTP_PORT")
EMAIL_HOST_USER = config.text("FAIRBOOK_SMTP_USER")
EMAIL_HOST_PASSWORD = config.text("FAIRBOOK_SMTP_PASSWORD")
EMAIL_USE_TLS = config.get("FAIRBOOK_SMTP_TLS") == "starttls"
EMAIL_USE_SSL = config.get("FAIRBOOK_SMTP_TLS") == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = config.text("FAIRBOOK_MAIL_FROM")
