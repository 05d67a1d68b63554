"""Catalogues: one `.po` per language, and the two files that are compiled from it.

Django reads the `.mo`; pages load `static/words/LANGUAGE.js`, which holds only what scripts show.
Imports no Django, so that set-up can compile before anything else runs.
"""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "exchange_site" / "locale"
SCRIPTS = ROOT / "static" / "words"
SAID_BY_API = "The API says this."
_IDLE = tuple(  # Of the head: what changes with each run, or says nothing.
    f'"{name}'.encode()
    for name in ("Report-Msgid", "POT-Creation", "PO-Revision", "Last-Translator", "Generated-By")
)
_PLURAL = re.compile(r"[n\d\s%=!<>&|?:()]+")


def languages() -> list[str]:
    """Return the languages that have a catalogue. English needs none: its texts are the sources."""
    return sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/django.po"))


def place_of(language: str) -> Path:
    """Return where the catalogue of a language lies."""
    return FOLDER / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """Read a catalogue."""
    with place_of(language).open("rb") as file:
        return read_po(file, locale=language, domain="django")


def write(language: str, catalogue: Catalog) -> None:
    """Write a catalogue, the same bytes for the same texts: without dates and numbers of lines."""
    written = BytesIO()
    write_po(
        written, catalogue, width=100, sort_by_file=True, include_lineno=False,
        ignore_obsolete=True,
    )  # fmt: skip
    lines = written.getvalue().splitlines(keepends=True)
    place_of(language).write_bytes(b"".join(one for one in lines if not one.startswith(_IDLE)))


def texts_of(catalogue: Catalog) -> list[Message]:
    """Return the messages of a catalogue without its head."""
    return [message for message in catalogue if message.id]


def is_for_scripts(message: Message) -> bool:
    """Whether a page's script may show this text: its own, or one that it hears from the API."""
    is_own = any(place.startswith("static/js/") for place, _ in message.locations)
    return is_own or SAID_BY_API in message.auto_comments


def compile_all() -> None:
    """Compile what Django and the pages load."""
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    for language in languages():
        catalogue = read(language)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        place_of(language).with_suffix(".mo").write_bytes(compiled.getvalue())
        (SCRIPTS / f"{language}.js").write_text(script_of(language, catalogue))


def script_of(language: str, catalogue: Catalog) -> str:
    """Write the texts that scripts show as a script: it is there before any module runs."""
    words = {
        (message.id if isinstance(message.id, str) else message.id[0]): message.string
        for message in texts_of(catalogue)
        if is_for_scripts(message) and message.string and not message.fuzzy
    }
    heard = [name for name in words if name in _patterns(catalogue)]
    plural = catalogue.plural_expr
    if not _PLURAL.fullmatch(plural):
        raise ValueError(f"{language}: no plural rule is written like {plural!r}")
    told = json.dumps(words, ensure_ascii=False, sort_keys=True, indent=0)
    return (
        f"globalThis.fairbookWords = {{ language: {json.dumps(language)}, "
        f"plural: (n) => Number({plural}), heard: {json.dumps(sorted(heard))}, words: {told} }};\n"
    )


def _patterns(catalogue: Catalog) -> set[str]:
    """Return the sentences of the API that have placeholders: pages find them by pattern."""
    return {
        message.id
        for message in texts_of(catalogue)
        if isinstance(message.id, str) and "{" in message.id
        if SAID_BY_API in message.auto_comments
    }
