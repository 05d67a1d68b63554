"""Nothing in an engine's state grows without a bound that somebody wrote down."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.source_tree import tree_of

ROOT = Path(__file__).resolve().parents[2]
TYPES = ("dict", "list", "set", "deque", "SortedDict", "OrderedDict", "defaultdict", "Aging")
ROW = re.compile(r"^\| `([A-Za-z_]+\.[a-z_]+)` \|")


def _is_container(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in TYPES
    return isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp)


def _is_declared(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).startswith(
        tuple(f"{name}[" for name in TYPES)
    )


def _assigned(init: ast.FunctionDef) -> Iterator[tuple[str, ast.expr | None]]:
    for node in ast.walk(init):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign):
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
            yield target.attr, value


def _containers(kind: ast.ClassDef) -> Iterator[str]:
    for node in kind.body:
        if isinstance(node, ast.AnnAssign) and _is_declared(node.annotation):
            yield ast.unparse(node.target)
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            given = {each.arg for each in node.args.args if _is_declared(each.annotation)}
            for name, value in _assigned(node):
                if _is_container(value) or (isinstance(value, ast.Name) and value.id in given):
                    yield name


@pytest.mark.parametrize("package", ["matching_worker/engine", "apps/risk/engine"])
def test_every_container_of_an_engine_has_a_row_with_its_limit(package):
    found = {
        f"{kind.name}.{name}"
        for path in (ROOT / package).glob("*.py")
        for kind in ast.walk(tree_of(path))
        if isinstance(kind, ast.ClassDef)
        for name in _containers(kind)
    }
    page = (ROOT / "docs/limits.md").read_text()
    section = next(part for part in page.split("\n## ") if f"(`{package}`)" in part)
    written = {match[1] for line in section.splitlines() if (match := ROW.match(line))}

    assert found == written, "docs/limits.md: a row per container, and no other rows"
