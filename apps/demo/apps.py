"""What only a demo has: one-click log-in, bots, and buttons that kill processes."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Never installed in production; the system check E016 says so."""

    name = "apps.demo"
