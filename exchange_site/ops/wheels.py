"""Where a wheel keeps its files, without importing it."""

from __future__ import annotations

import importlib.util
from pathlib import Path


class ServerFailed(Exception):
    """A server did not come up. The message says which, and what it wrote."""


def package_dir(package: str) -> Path:
    """Return the directory of an installed package. Some packages do things when imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(f"the package {package} is not installed: run `make up` to install it")
    return Path(next(iter(spec.submodule_search_locations)))
