"""Syntax trees of sources, read in a process where much else went on.

CPython 3.11 counts how deep it builds a tree in one counter for all trees. A collection in the
middle may find what a test before left open; its warning is an error here, to show an error 3.11
parses its line, and with two trees begun the counter is wrong: "SystemError: AST constructor
recursion depth mismatch". So nothing is collected while a tree is built.
"""

from __future__ import annotations

import ast
import gc
from pathlib import Path


def tree_of(path: Path) -> ast.Module:
    """Return a source file's tree."""
    source, was_enabled = path.read_text(), gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        if was_enabled:
            gc.enable()
