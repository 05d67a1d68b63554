"""Passwords that are little more than words that everybody would try first here.

Such words are the list in `data/context_words.txt`, the names of the site's host, and the person's
own address and name. They are taken out of a password, however they are written; if what is left
is shorter than LEFT_MIN, it is refused. A long phrase may have any of them in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from apps.common.config import config
from apps.users.breached import is_own_address

LEFT_MIN, WORD_MIN = 8, 3
LIST = Path(__file__).with_name("data") / "context_words.txt"
_LETTERS = str.maketrans("0134578@$!€", "oieastbasie")
_PARTS = re.compile(r"[^\W_]+")


@cache
def listed() -> frozenset[str]:
    """Return the words of the list."""
    lines = (line.split("#")[0].strip() for line in LIST.read_text().splitlines())
    return frozenset(line for line in lines if line)


def is_little_else(password: str, *, own: str = "") -> bool:
    """Say whether a password is hardly more than such words; `own` is what names its person."""
    plain = password.casefold()
    words = {*listed(), *_words_of(own), *_words_of(_host())}
    for spelled in (plain, plain.translate(_LETTERS)):
        if any(spelled.find(word) >= 0 for word in words) and _left(spelled, words) < LEFT_MIN:
            return True
    return False


def _left(spelled: str, words: set[str]) -> int:
    """Count the characters beside the words. Longer words first: "bitcoin", then "coin"."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return len(re.sub("|".join(map(re.escape, longest_first)), "", spelled))


def _words_of(names: str) -> Iterator[str]:
    """Split what names somebody, or a host, into its words: as they are, and without digits."""
    for part in _PARTS.findall(names.casefold()):
        for word in (part, part.strip("0123456789"), part.translate(_LETTERS)):
            if len(word) >= WORD_MIN:
                yield word


def _host() -> str:
    return urlsplit(config.text("FAIRBOOK_PUBLIC_URL")).hostname or ""


class ContextWordsValidator:
    """Refuses what is hardly more than words of this place or names of this person."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise if too little is left of the password without them."""
        if is_own_address(password, user):  # Which is said already, and better.
            return
        own = f"{getattr(user, 'email', '')} {getattr(user, 'full_name', '')}"
        if is_little_else(password, own=own):
            raise ValidationError(
                "This password is mostly your name, ours, or a word that many would try here. "
                f"Add at least {LEFT_MIN} other characters.",
                code="password_of_context_words",
            )

    def get_help_text(self) -> str:
        """Say the rule."""
        return "Your password must be more than your name, ours, or words of the market."
