"""Every text that people read, read out of templates, Python and JavaScript.

Python's own sentences are of two kinds. Those in `gettext(…)` are translated where they are made.
What the API says stays in English there, whoever asks, and is translated by the pages that show
it: refusals (found by their class, so nobody has to mark them) and words in `gettext_noop(…)`.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

from exchange_site.words.catalogues import ROOT, SAID_BY_API

MARKS = {
    "gettext": None, "gettext_lazy": None, "_": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
}  # fmt: skip
SCRIPT_MARKS = {"t": None, "tn": (1, 2)}
# Beside the classes of refusals: what makes one, and the framework's own.
MAKERS = {"rejected", "not_now", "ValidationError"}
NOOPS = {"gettext_noop", "said"}
WITHOUT_PAGES = (
    "apps/journals/", "apps/risk/", "apps/ledger/", "apps/proofs/", "apps/monitoring/",
    "apps/demo/tour.py", "apps/demo/client.py",
)  # fmt: skip

Said = str | tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """One text, and where it stands."""

    said: Said
    place: str
    is_of_api: bool = False


def catalogue() -> Catalog:
    """Return all texts of the sources, without translations."""
    found = Catalog(project="Fairbook", version="1", charset="utf-8", fuzzy=False)
    for text in all_texts():
        comments = [SAID_BY_API] if text.is_of_api else []
        found.add(text.said, locations=[(text.place, 1)], auto_comments=comments)
    return found


def all_texts() -> Iterator[Text]:
    """Yield the texts of every source."""
    for path in sorted((ROOT / "templates").rglob("*.*")):
        yield from of_template(path)
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        for said in _marked("javascript", path.read_bytes(), SCRIPT_MARKS):
            yield Text(said, _name(path))
    modules = sorted((ROOT / "apps").rglob("*.py"))
    refusals = names_of_refusals(modules)
    for path in modules:
        if "migrations" not in path.parts:
            yield from of_module(path, refusals)


def of_template(path: Path) -> Iterator[Text]:
    """Yield the texts of a template's translate tags."""
    python = templatize(path.read_text(), origin=_name(path))
    # What is no tag became X's; without their indentation they are harmless to Python's reader.
    flat = "\n".join(line.lstrip() for line in python.splitlines())
    for said in _marked("python", flat.encode(), MARKS):
        yield Text(said, _name(path))


def of_module(path: Path, refusals: set[str]) -> Iterator[Text]:
    """Yield what a Python module says."""
    source = path.read_bytes()
    for said in _marked("python", source, MARKS):
        yield Text(said, _name(path))
    if not _name(path).startswith(WITHOUT_PAGES):
        for sentence in refused_in(ast.parse(source), refusals):
            yield Text(sentence, _name(path), is_of_api=True)


def _marked(method: str, source: bytes, marks: dict[str, Any]) -> Iterator[Said]:
    try:
        for _, said, _, _ in extract(method, BytesIO(source), keywords=marks):
            yield said
    except (tokenize.TokenError, IndentationError) as error:
        raise ValueError(f"cannot read {source[:80]!r}…") from error


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- refusals


def names_of_refusals(modules: Iterable[Path]) -> set[str]:
    """Return the names of all classes that are refusals, by what they are made of."""
    bases = {
        node.name: {_last_name(base) for base in node.bases}
        for path in modules
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
    }
    known = {"Refusal"}
    while more := {name for name, over in bases.items() if over & known} - known:
        known |= more
    return known


def refused_in(module: ast.Module, refusals: set[str]) -> Iterator[str]:
    """Yield the sentences of a module's refusals. What is computed in them is a placeholder."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _last_name(node.func) in refusals | MAKERS:
            yield from _sentences([*node.args, *_values_of_fields(node)])
        elif isinstance(node, ast.Call) and _last_name(node.func) in NOOPS:
            yield from _texts(node.args)
        elif isinstance(node, ast.ClassDef) and node.name in refusals:
            yield from _said_by_class(node)
        elif isinstance(node, ast.Tuple) and _is_of_dialect(node):
            yield from _sentences(node.elts)


def _values_of_fields(call: ast.Call) -> list[ast.expr]:
    found = [each.value for each in call.keywords if each.arg == "fields"]
    return [
        leaf
        for value in found
        for leaf in ast.walk(value)
        if isinstance(leaf, ast.Constant | ast.JoinedStr)
    ]  # type: ignore[misc]


def _said_by_class(kind: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(kind):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
            yield from _sentences(node.args)


def _is_of_dialect(node: ast.Tuple) -> bool:
    """Whether it is a number and a sentence of the trading dialect: (-2010, "…")."""
    return len(node.elts) == 2 and isinstance(node.elts[0], ast.UnaryOp)


def _sentences(values: Iterable[ast.expr]) -> Iterator[str]:
    """Yield those of the texts that are sentences: they have a space, and codes have none."""
    for text in _texts(values):
        if " " in text.strip() and re.search(r"[a-z]{2}", text):
            yield text


def _texts(values: Iterable[ast.expr]) -> Iterator[str]:
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.JoinedStr):
            yield "".join(_part(each) for each in value.values)
        elif isinstance(value, ast.BoolOp):  # `reason or "…"`
            yield from _texts(value.values)


def _part(value: ast.expr) -> str:
    if isinstance(value, ast.FormattedValue):
        return "{" + _last_name(value.value).lower() + "}"
    return str(value.value) if isinstance(value, ast.Constant) else ""


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else "value"
