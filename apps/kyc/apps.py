"""The app's registration."""

from django.apps import AppConfig


class KycConfig(AppConfig):
    """The app's registration."""

    name = "apps.kyc"
    label = "kyc"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Identity checks"
