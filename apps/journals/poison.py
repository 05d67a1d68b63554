"""Commands that break a belief: which one it was, and whether an operator said to skip it."""

from collections.abc import Sequence

import msgspec

from apps.journals import keys, wire
from apps.journals.codec import CommandFrames, Unreadable
from apps.journals.contracts import RuntimeCommand, SkipCommand
from apps.journals.replica import InputEntry, Replica

_runtime_frames = CommandFrames(RuntimeCommand)


def find_poison(
    trial: Replica, tried: Sequence[tuple[str, InputEntry]], *, at_ns: int, epoch: int
) -> wire.CommandId | None:
    """Apply a batch's entries again, one command at a time, on a replica that is thrown away.

    Returns the command that breaks it, or None if none does by itself.
    """
    trial.name_what_breaks()
    try:
        trial.begin(at_ns)
        for stream, entry in tried:
            trial.take(stream, *entry)
        trial.finish(epoch)
    except Exception:
        return trial.applying
    return None


def find_skip(entries: Sequence[InputEntry], poison: wire.CommandId) -> SkipCommand | None:
    """Return the command among these entries that says to step over the poison."""
    for _, fields in entries:
        try:
            commands = _runtime_frames.read(fields.get(keys.FRAME_FIELD, b"")).commands
        except Unreadable:
            continue
        for command in commands:
            if isinstance(command, SkipCommand) and _names(command, poison):
                return command
    return None


def _names(skip: SkipCommand, poison: wire.CommandId) -> bool:
    return msgspec.structs.astuple(poison) == (skip.stream, skip.entry, skip.index)
