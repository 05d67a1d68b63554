"""The project as an app: it registers the system checks and makes Celery's app the default one."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "exchange_site"
    label = "exchange_site"

    def ready(self) -> None:
        """Load what must be there in every Django process."""
        from exchange_site import celery, checks  # noqa: F401 - importing registers them
