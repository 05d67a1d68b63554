"""Random days as they are published, without a server: the engine's book, and the real lines."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from apps.journals import wire
from apps.proofs.chain import canonical, day_of, hash_of
from apps.proofs.follower import ListeningBook
from apps.proofs.lines import Lines
from matching_worker.engine.limits import Limits
from tests.helpers.book_day import RULES, live
from tests.helpers.random_day import GENESIS, START, RandomDay

VERIFIER = Path(__file__).resolve().parents[2] / "static/proofs/fairbook_verify.py"
SECRET = b"a secret of thirty-two bytes, ok"
MARKET = "BTC-USDT"
SECOND = 10**9
DAY = 86_400 * SECOND
MIDNIGHT = (START // DAY + 1) * DAY


class Day:
    """A day's lines, and what happened in them."""

    def __init__(self, lines):
        self.lines = lines

    @property
    def batches(self):
        return [line for line in map(json.loads, self.lines) if line["kind"] == "batch"]

    def heads(self, *, every=10):
        """Return heads as the API gives them."""
        found = []
        for raw in self.lines:
            line = json.loads(raw)
            if line["kind"] == "batch" and line["batch"] % every == 0:
                found.append(
                    {
                        "market": MARKET,
                        "batch": line["batch"],
                        "seq": line["last_seq"],
                        "at_ns": str(line["at_ns"]),
                        "outside": hash_of(raw),
                        "inside": line["journalHash"],
                    }
                )
        return found

    def place_of(self, claim):
        """Return where the first batch stands of which this is true."""
        for place, raw in enumerate(self.lines):
            line = json.loads(raw)
            if line["kind"] == "batch" and claim(line):
                return place
        raise AssertionError("no such batch: take another seed")

    def changed(self, place, change, *, rehashed):
        """Return the day with one line changed; `rehashed`: and all after it chained anew."""
        lines = list(self.lines)
        fields = json.loads(lines[place])
        change(fields)
        lines[place] = canonical(fields)
        return Day(rechained(lines) if rehashed else lines)


def rechained(lines):
    """Chain lines anew, as somebody who rewrites history would."""
    done = []
    for raw in lines:
        fields = json.loads(raw)
        if done:
            fields["prev"] = hash_of(done[-1])
        done.append(canonical(fields))
    return done


class Author:
    """Lives through batches with the engine's book, and publishes each."""

    def __init__(self, *, limits=None, secret=SECRET):
        self.machine = ListeningBook(Limits(**(limits or {})))
        self.machine.set_rules(RULES)
        self.machine.configure(GENESIS)
        self.lines_of = Lines(MARKET, secret)
        self.lines = []
        self.batch, self.day = 0, ""
        self.inside = bytes(32)

    def publish(self, batch):
        """Publish one batch."""
        if (day := day_of(batch.at_ns)) != self.day:
            self.day, state = day, self.machine.dump()
            begun = self.lines_of.begin_day(at_ns=batch.at_ns, batch=self.batch, state=state)
            self.lines.append(begun)
        first_seq = self.machine.seq + 1
        out = live(self.machine, batch)
        self.batch += 1
        self.inside = sha256(self.inside + b"%d" % self.batch).digest()
        header = wire.Header(
            batch=self.batch, epoch=1, first_seq=first_seq, last_seq=self.machine.seq,
            at_ns=batch.at_ns, rules=RULES, takes=[], links=[], skips=[],
        )  # fmt: skip
        heard = self.machine.take_heard()
        self.lines.append(
            self.lines_of.batch(header, inside=self.inside, heard=heard, said=out.events)
        )
        return out


def random_batches(seed, *, commands=400, around_midnight=False):
    """Return the batches of a random day."""
    day = RandomDay(seed)
    if around_midnight:
        day.at_ns = MIDNIGHT - 10 * SECOND
    return list(day.batches(commands))


def published(seed, *, commands=400, around_midnight=False, limits=None, secret=SECRET):
    """Return a random day as it is published."""
    author = Author(limits=limits, secret=secret)
    for batch in random_batches(seed, commands=commands, around_midnight=around_midnight):
        author.publish(batch)
    return Day(author.lines)


def write_segments(folder, day, *, files=3):
    """Write a day's lines as segments, cut where a batch ends; return their names."""
    cut = -(-len(day.lines) // files)
    names = []
    for number in range(files):
        lines = day.lines[number * cut : (number + 1) * cut]
        if lines:
            path = folder / f"segment-{number}.jsonl.gz"
            path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0))
            names.append(path.name)
    return names


def verify(folder, day, *, heads=(), receipts=(), orders=(), files=3, words=()):
    """Run the verifier as a trader does: its one file, alone, in a folder with nothing else."""
    program = folder / VERIFIER.name
    program.write_bytes(VERIFIER.read_bytes())
    words = [*words, *write_segments(folder, day, files=files)]
    for name, rows in (("heads", heads), ("receipts", receipts)):
        if rows:
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            words += [f"--{name}", f"{name}.jsonl"]
    for order in orders:
        words += ["--order", str(order)]
    return subprocess.run(
        [sys.executable, "-I", "-S", program.name, *words],
        cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def in_process(verifier, folder, day, *, limits=()):
    """Run the verifier's check as a module, by other limits if asked; return what it found."""
    kept = dict(verifier.LIMITS)
    verifier.LIMITS.update({name: limits[name] for name in limits if name in kept})
    try:
        findings, tellers = verifier.Findings(), verifier.Tellers()
        segments = [verifier.Segment(folder / name) for name in write_segments(folder, day)]
        verifier.Market(MARKET, {}, [], tellers, findings).check(segments)
    finally:
        verifier.LIMITS.update(kept)
    return findings
