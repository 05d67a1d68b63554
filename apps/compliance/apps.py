"""The app's registration."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    """The app's registration."""

    name = "apps.compliance"
    label = "compliance"
    default_auto_field = "django.db.models.BigAutoField"
