"""The app's registration."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """The app's registration."""

    name = "apps.users"
    label = "users"
    default_auto_field = "django.db.models.BigAutoField"
