"""Bring the database to this code's shape, share out its rights, and put the demo in.

Then it writes down which listed markets have books, for the table of processes.

It runs as the owner role (FAIRBOOK_DB_ROLE=owner), because migrations make tables. What the demo
needs is made by the command `seed_demo`, which may run any number of times.
"""

from __future__ import annotations

import os


def main() -> None:
    """Migrate, then seed unless this is production."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "exchange_site.settings"
    os.environ["FAIRBOOK_DB_ROLE"] = "owner"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command, get_commands

    from exchange_site.ops import postgres

    call_command("migrate", interactive=False, verbosity=1)
    postgres.share_out()
    if settings.DEMO and "seed_demo" in get_commands():
        call_command("seed_demo")
    call_command("write_books")


if __name__ == "__main__":
    main()
