"""The app's registration."""

from django.apps import AppConfig


class MarketsConfig(AppConfig):
    """The app's registration."""

    name = "apps.markets"
    label = "markets"
    default_auto_field = "django.db.models.BigAutoField"
