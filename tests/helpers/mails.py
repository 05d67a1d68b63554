"""What the exchange mailed, as whoever reads the mailbox sees it."""

from __future__ import annotations

import re

from apps.users.models import Mail
from apps.users.services import mail

_WORD = re.compile(r"/(?:verify|reset)/#([\w-]+)")


def mails_to(address: str) -> list[Mail]:
    """Return all mails to an address, oldest first."""
    return list(Mail.objects.filter(to=address).order_by("pk"))


def kinds_to(address: str) -> list[str]:
    """Return what kinds of mail an address got, oldest first."""
    return [row.kind for row in mails_to(address)]


def word_to(address: str) -> str:
    """Return the word of the newest link that was mailed to an address."""
    texts = [mail.text_of(row) for row in reversed(mails_to(address))]
    return next(found[1] for text in texts if (found := _WORD.search(text)))
