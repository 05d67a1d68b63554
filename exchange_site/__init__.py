"""The Django project: settings, ASGI, Celery, URLs, operations. No rules here."""
