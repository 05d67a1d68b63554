"""A stranger's file becomes pages of ours, in a process of its own (`child`)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from django.utils.translation import gettext_noop

from apps.common.errors import Refusal

FILE_BYTES_MAX = 8 * 1024 * 1024
ANSWER_BYTES_MAX = 64 * 1024 * 1024
PATIENCE_S = 20.0
CHILD = Path(__file__).with_name("child.py")

_log = structlog.get_logger("fairbook.kyc")
_SENTENCES = {
    "empty": gettext_noop("The file is empty."),
    "too_large": gettext_noop("The file is larger than 8 MB."),
    "unknown_type": gettext_noop("We take JPEG, PNG, WebP and PDF files."),
    "too_many_pixels": gettext_noop(
        "The picture has too many pixels; 40 million is the most we take."
    ),
    "too_small": gettext_noop(
        "The picture is too small to be checked: each side needs 200 pixels."
    ),
    "too_many_pages": gettext_noop("The file has too many pages; ten is the most we take."),
    "locked_pdf": gettext_noop("The PDF has a password. Please send it without one."),
    "unreadable": gettext_noop("The file cannot be read. Please send another picture."),
}


class FileRefused(Refusal):
    """The file is none that we take; `data.problem` says why. Nothing of it was kept."""

    code = "file_refused"

    def __init__(self, problem: str) -> None:
        super().__init__(_SENTENCES[problem], problem=problem)


class Page(msgspec.Struct, frozen=True, gc=False):
    """One page as a JPEG that we made."""

    width: int
    height: int
    jpeg: bytes


class Paper(msgspec.Struct, frozen=True, gc=False):
    """What a file held."""

    media_type: str
    pages: tuple[Page, ...]


Reader = Callable[[bytes], Paper]


def read(body: bytes) -> Paper:
    """Open a file in a process with limits, and return its pages made anew, or refuse it."""
    if not body:
        raise FileRefused("empty")
    if len(body) > FILE_BYTES_MAX:
        raise FileRefused("too_large")
    try:
        done = subprocess.run(  # noqa: S603 - our own program, with no word of the sender's
            [sys.executable, "-I", str(CHILD)],
            input=body,
            capture_output=True,
            timeout=PATIENCE_S,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        _log.warning("kyc.paper.reader_timed_out", size=len(body))
        raise FileRefused("unreadable") from None
    if done.returncode != 0 or not 0 < len(done.stdout) <= ANSWER_BYTES_MAX:
        _log.warning("kyc.paper.reader_died", size=len(body), status=done.returncode)
        raise FileRefused("unreadable")
    return _answer_of(done.stdout)


def _answer_of(out: bytes) -> Paper:
    head, _, rest = out.partition(b"\n")
    told = json.loads(head)
    if "refused" in told:
        raise FileRefused(told["refused"])
    pages, start = [], 0
    for width, height, length in told["pages"]:
        pages.append(Page(width, height, rest[start : start + length]))
        start += length
    return Paper(media_type=told["media_type"], pages=tuple(pages))
