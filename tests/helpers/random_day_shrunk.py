"""Makes a small story of a random day on which two markets differ, and tells it.

    python -m tests.helpers.random_day_shrunk SEED

takes away batches, then runs, then single commands, as long as the book and its obvious twin still
tell different stories; what is left is printed with what each of them said.
"""

import difflib
import sys

from matching_worker.engine.ways import PURE
from tests.helpers.book_day import COMMANDS, due, fast_market, live, numbers, obvious_market, said
from tests.helpers.random_day import START, Batch, RandomDay

SECOND = 10**9


def difference(make_one, make_other, batches):
    """Return the first batch after which two markets differ and what they said; or None."""
    one, other = make_one(), make_other()
    for number, batch in enumerate(batches):
        out, again = live(one, batch), live(other, batch)
        said_one = [*lines(out), f"due {due(one, batch)}"]
        said_other = [*lines(again), f"due {due(other, batch)}"]
        if said(out) != said(again) or due(one, batch) != due(other, batch):
            return number, said_one, said_other
    return None


def shrink(batches, differ):
    """Return as little of these batches as still makes `differ(batches)` true."""
    batches, size = list(batches), None
    while weight(batches) != size:
        size = weight(batches)
        batches = fewer(batches, differ)
        batches = fewer_runs(batches, differ)
        batches = fewer_commands(batches, differ)
    return batches


def fewer_runs(batches, differ):
    places = [(n, r) for n, batch in enumerate(batches) for r in range(len(batch.runs))]
    kept = fewer(places, lambda some: differ(only(batches, runs=set(some))))
    return only(batches, runs=set(kept))


def fewer_commands(batches, differ):
    places = [
        (n, r, c)
        for n, batch in enumerate(batches)
        for r, (_, run) in enumerate(batch.runs)
        for c in range(len(run))
    ]
    kept = fewer(places, lambda some: differ(only(batches, commands=set(some))))
    return only(batches, commands=set(kept))


def fewer(items, differ):
    """Drop ever smaller pieces of a list, while `differ` still says yes to what is left."""
    piece = max(1, len(items) // 2)
    while True:
        start, dropped = 0, False
        while start < len(items):
            rest = items[:start] + items[start + piece :]
            if differ(rest):
                items, dropped = rest, True
            else:
                start += piece
        if piece == 1 and not dropped:
            return items
        piece = max(1, piece // 2)


def weight(batches):
    """Count what a story is made of: its batches, runs and commands."""
    return sum(1 + len(batch.runs) + sum(len(run) for _, run in batch.runs) for batch in batches)


def only(batches, *, runs=None, commands=None):
    """Return batches with these runs, or these commands, alone."""
    return [
        Batch(
            batch.at_ns,
            [
                (
                    origin,
                    [m for c, m in enumerate(run) if commands is None or (n, r, c) in commands],
                )
                for r, (origin, run) in enumerate(batch.runs)
                if runs is None or (n, r) in runs
            ],
        )
        for n, batch in enumerate(batches)
    ]


# ── Telling ─────────────────────────────────────────────────────────────────────────────────────


def told(message):
    """Say a message with the fields that say something."""
    fields = ((name, getattr(message, name)) for name in message.__struct_fields__)
    words = [f"{name}={short(value)}" for name, value in fields if value or value is None]
    return f"{type(message).__name__}({', '.join(words)})"


def short(value):
    if hasattr(value, "__struct_fields__"):
        return told(value)
    if isinstance(value, list):
        return "[" + ", ".join(short(each) for each in value) + "]"
    is_time = isinstance(value, int) and abs(value - START) < 10**6 * SECOND
    return f"+{(value - START) / SECOND:.9f}s" if is_time else repr(value)


def lines(out):
    """Tell a batch's outputs, one line each."""
    yield from (f"market     {told(event)}" for event in out.events)
    for peer, messages in out.links.items():
        yield from (f"{peer:10} {told(message)}" for message in messages)
    for source, replies in out.replies.items():
        yield from (f"{source.decode():10} {told(reply)}" for reply in replies)


def story(batches, found):
    """Tell batches, and how two markets differ after the last of them."""
    number, one, other = found
    text = []
    for batch in batches[: number + 1]:
        text.append(f"at {short(batch.at_ns)}")
        for origin, run in batch.runs:
            passed = f", passed {origin.passed}" if origin.peer else ""
            text.append(f"  from {origin.peer or origin.kind.value}{passed}")
            text += [f"    {told(message)}" for message in run]
    text.append("then one says (-) and the other says (+)")
    text += [f"  {line}" for line in difflib.ndiff(one, other) if not line.startswith("?")]
    return "\n".join(text)


def shrunk_story(make_one, make_other, batches):
    """Return the smallest story found in which two markets differ; "" if they do not."""
    batches = list(batches)
    if not difference(make_one, make_other, batches):
        return ""
    small = shrink(batches, lambda some: difference(make_one, make_other, some) is not None)
    return story(small, difference(make_one, make_other, small))


def hunt(seeds, way=PURE):
    """Return the first of these days on which the book and its twin differ, or the book breaks."""
    for seed in seeds:
        book, twin = fast_market(numbers(seed), way), obvious_market(numbers(seed))
        try:
            for batch in RandomDay(seed).batches(COMMANDS):
                if said(live(book, batch)) != said(live(twin, batch)):
                    return seed
                if due(book, batch) != due(twin, batch):
                    return seed
                book.check()
        except Exception:  # Whatever a broken book raises.
            return seed
    return None


def main():
    seed = int(sys.argv[1])
    limits = numbers(seed)
    text = shrunk_story(
        lambda: fast_market(limits),
        lambda: obvious_market(limits),
        RandomDay(seed).batches(COMMANDS),
    )
    print(text or "Both tell the same story.")


if __name__ == "__main__":
    main()
