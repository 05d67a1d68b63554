"""The project as an app: it registers the system checks and makes Celery's app the default one."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class SiteConfig(AppConfig):
    name = "exchange_site"
    label = "exchange_site"
    default = True

    def ready(self) -> None:
        """Load what must be there in every Django process."""
        from exchange_site import celery, checks  # noqa: F401 - importing registers them


class BackOfficeConfig(admin_apps.AdminConfig):
    """Django's admin, whose site asks staff for a passkey."""

    default = False  # Of this module, the project itself is.
    default_site = "apps.users.back_office.BackOffice"
