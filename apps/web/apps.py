"""The pages that people see. They use the public API and streams only: no private doors."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Templates and the views that fill them."""

    name = "apps.web"
