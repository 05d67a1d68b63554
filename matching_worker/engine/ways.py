"""The two ways whole frames can go: the pure one, and the compiled one where it has been built.

Both decide the same. The pure way is the reference: replay and verification take it, and so does
one of the two members of each market, so that every batch of a running market goes both ways.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, NamedTuple

from matching_worker.engine import frames

WayName = Literal["auto", "pure", "compiled"]


class Way(NamedTuple):
    """How a book takes whole frames."""

    name: Literal["pure", "compiled"]
    place_frame: Callable[..., None]
    cancel_frame: Callable[..., None]


class NotCompiled(Exception):
    """The compiled way is wanted, and this machine has not built it."""


PURE = Way("pure", frames.place_frame, frames.cancel_frame)


def compiled() -> Way | None:
    """Return the compiled way, or None if `exchange_site/ops/compile.py` has not built it here."""
    try:
        quick: Any = import_module("matching_worker.engine.quick")
    except ModuleNotFoundError:
        return None
    return Way("compiled", quick.place_frame, quick.cancel_frame)


def way_named(name: WayName) -> Way:
    """Return a way; "auto" is the compiled one if it is there. Raises NotCompiled."""
    way = None if name == "pure" else compiled()
    if way is None and name == "compiled":
        raise NotCompiled(
            "the compiled engine is not built here: python -m exchange_site.ops.compile"
        )
    return way or PURE
