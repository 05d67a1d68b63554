"""What is no password: one that others have lost already, or the person's own address.

The list of lost ones is a local file in the public "Pwned Passwords" format: upper-case SHA-1 in
hex, a colon, how often it was seen; one a line, ordered by hash. It has tens of gigabytes, so it is
never read: a look-up is a binary search of some thirty small reads. Nothing leaves the machine.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from apps.common.config import config

_DIGITS = 40
_LINE_MAX = 128


def is_listed(password: str, *, path: Path) -> bool:
    """Say whether the file has this password."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    handle = os.open(path, os.O_RDONLY)
    try:
        low, high = 0, os.fstat(handle).st_size  # The line, if any, begins in here.
        while low < high:
            middle = (low + high) // 2
            begins, line = _line_at_or_after(handle, middle, high)
            found = line[:_DIGITS].upper()
            if found == wanted:
                return True
            if line and found < wanted:
                low = begins + len(line)
            else:
                high = middle
        return False
    finally:
        os.close(handle)


def _line_at_or_after(handle: int, place: int, end: int) -> tuple[int, bytes]:
    """Return the first whole line that begins at a place or after it, but before the end."""
    begins = place
    if place:  # A line begins behind a line break: look from the one before.
        before = os.pread(handle, _LINE_MAX, place - 1)
        begins = place + before.find(b"\n") if b"\n" in before else end
    line = os.pread(handle, _LINE_MAX, begins) if begins < end else b""
    return begins, line[: line.find(b"\n") + 1] if b"\n" in line else line


class BreachedPasswordValidator:
    """Refuses what stands in the file that FAIRBOOK_BREACHED_PASSWORDS names, if it names one."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise if the password was lost by somebody, somewhere."""
        name = config.text("FAIRBOOK_BREACHED_PASSWORDS")
        if name and is_listed(password, path=Path(name)):
            raise ValidationError(
                "This password was found in a data breach. Please choose another one.",
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """Say the rule."""
        return "Your password must not be known from a data breach."


def is_own_address(password: str, user: Any) -> bool:
    """Say whether a password is, or has in it, its person's address."""
    email, given = str(getattr(user, "email", "")).casefold(), password.casefold()
    return bool(email) and (email in given or given == email.partition("@")[0])


class AddressAsPasswordValidator:
    """Refuses the person's own e-mail address, whole or its name part, in any case."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise if the password is the address."""
        if is_own_address(password, user):
            raise ValidationError(
                "Your e-mail address is no password.", code="password_is_the_address"
            )

    def get_help_text(self) -> str:
        """Say the rule."""
        return "Your password must not be your e-mail address."
