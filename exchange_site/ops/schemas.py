"""The messages' JSON Schemas in docs/contracts/: `python -m exchange_site.ops.schemas`.

Messages travel as msgpack arrays; the schema describes the same values as JSON, each item titled
with its field's name. A house test compares the committed files with what this module makes.
"""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec

from apps.journals import contracts as runtime
from apps.journals import wire
from apps.risk.contracts import commands, events, replies
from matching_worker.contracts import from_book, to_book

FOLDER = Path(__file__).parents[2] / "docs/contracts"

FAMILIES: dict[str, tuple[type, ...]] = {
    "frames": (
        wire.CommandFrame,
        wire.LinkFrame,
        wire.Header,
        wire.SealedHeader,
        wire.ReplyFrame,
    ),
    "runtime": (*get_args(runtime.RuntimeCommand), runtime.FrameRefused),
    "risk-commands": (*get_args(commands.RiskCommand), commands.TransferIn),
    "risk-events": get_args(events.RiskEvent),
    "risk-replies": get_args(replies.RiskReply),
    "book-inputs": (
        *get_args(to_book.BookCommand),
        *get_args(to_book.LinkMessage),
        *get_args(to_book.BookCancel),
    ),
    "book-reports": get_args(from_book.ReportMessage),
    "book-events": get_args(from_book.BookEvent),
    "book-replies": get_args(from_book.CancelReply),
}


def name_items(structs: dict[str, type], components: dict[str, Any]) -> None:
    """Title each item of an array-like struct with its field's name."""
    for name, schema in components.items():
        struct = structs.get(name)
        if struct is None or "prefixItems" not in schema:
            continue
        fields = msgspec.structs.fields(struct)
        items = schema["prefixItems"][-len(fields) :]
        for field, item in zip(fields, items, strict=True):
            item.setdefault("title", field.name)


def schema_of(family: tuple[type, ...]) -> str:
    """Return one family's schema as the committed file holds it."""
    references, components = msgspec.json.schema_components(family, ref_template="#/$defs/{name}")
    structs = {struct.__name__: struct for struct in (*all_structs(), *family)}  # The family's win.
    name_items(structs, components)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "anyOf": list(references),
        "$defs": components,
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def all_structs() -> list[type]:
    """Return every struct that can stand in a message, nested ones too."""
    modules = (runtime, wire, commands, events, replies, from_book, to_book)
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
    }
    return sorted(found, key=lambda struct: struct.__name__)


def documents() -> dict[str, str]:
    """Return file name → text of all schemas."""
    return {f"{name}.schema.json": schema_of(family) for name, family in FAMILIES.items()}


def main() -> None:
    """Write the schemas where the house test expects them."""
    for name, text in documents().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
