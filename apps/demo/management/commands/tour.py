"""manage.py tour: deposit, trade, kill, recover, verify, within a minute, each with its figure."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.demo.tour import Tour, TourFailed, where


class Command(BaseCommand):
    """Show in a terminal what the demo page shows in a browser."""

    help = "Walk through a running exchange: deposit, trade, kill, recover, verify."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Tell the tour as it happens."""
        began = time.monotonic()
        try:
            asyncio.run(Tour(self._say, deposit).perform())
        except TourFailed as failed:
            raise CommandError(failed.message) from None
        self.stdout.write(f"\n  {time.monotonic() - began:.0f} s in all. Now you: {where()}/demo/")

    def _say(self, step: str, sentence: str) -> None:
        self.stdout.write(f"  {self.style.SUCCESS('✓')} {step:<9}{sentence}")
        self.stdout.flush()


def deposit(login: str, asset: str, amount: str, reference: str) -> None:
    """Credit demo funds: a row in the outbox, and from there a command to the risk engine."""
    from apps.orders import demo
    from apps.users import selectors
    from apps.users.services import people

    user = selectors.user_by_email(people.full_login(login))
    owner = selectors.standing_for_user(user.pk) if user else None
    if owner is None:
        raise TourFailed(f"{login} has no trading account: run `make up` first")
    with transaction.atomic():
        demo.deposit(owner, asset=asset, amount=amount, reference=reference)
