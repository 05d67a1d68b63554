"""Commands that the runtime itself understands, in any worker, and the refusal it answers with."""

import msgspec

from apps.common.kernel.ids import StreamId


class LinkAdd(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="link_add.v1"):
    """Read numbered frames of `peer` from its first one on, and allow messages to it."""

    peer: str


class RulesSet(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="rules_set.v1"):
    """Behave by rules version `number` from the next batch on. Never goes back."""

    number: int


class SkipCommand(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="skip_command.v1"):
    """Step over one command that broke a belief. Taken only while the worker is blocked by it."""

    stream: str
    entry: StreamId
    index: int
    reason: str
    by: str


RuntimeCommand = LinkAdd | RulesSet | SkipCommand


class FrameRefused(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="frame_refused.v1"):
    """Not taken, and nothing changed. Codes: `gap`, `unknown_source`, `unreadable`."""

    stream: str
    entry: StreamId
    index: int  # -1 for the whole frame.
    code: str
