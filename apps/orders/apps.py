"""The app's registration."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """The app's registration."""

    name = "apps.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"
