"""docs/contracts/wire.md, its last section: the protocol's bytes, which never change."""

import re
from pathlib import Path

import msgspec
import pytest

from apps.journals import wire
from apps.journals.contracts import LinkAdd

DOCUMENT = Path(__file__).parents[2] / "docs/contracts/wire.md"


def golden() -> dict[str, bytes]:
    """Read the table of bytes at the document's end."""
    section = DOCUMENT.read_text().partition("## Golden bytes")[2]
    return {
        name: bytes.fromhex(value)
        for name, value in re.findall(r"^(\w+)\s+([0-9a-f]+)$", section, re.MULTILINE)
    }


@pytest.fixture
def made() -> dict[str, bytes]:
    """Make the same bytes with the code: the story that the document tells."""
    genesis = wire.encode([LinkAdd(peer="risk:0")])
    command = msgspec.Raw(wire.encode(LinkAdd(peer="risk:1")))
    command_frame = wire.encode(
        wire.CommandFrame(source=bytes(range(8)), number=1, commands=[command])
    )
    link_frame = wire.encode(wire.LinkFrame(passed=(1_700_000_000_000, 3), messages=[]))
    link_hash = wire.link_hash(bytes(wire.HASH_BYTES), number=1, body=link_frame)
    entry = (1_700_000_000_000, 0)
    header = wire.Header(
        batch=1,
        epoch=1,
        first_seq=1,
        last_seq=1,
        at_ns=1_700_000_000_000_000_000,
        rules=1,
        takes=[wire.Take("{book:BTC-USDT}:commands", entry, entry)],
        links=[wire.LinkWrite("risk:0", 1, link_hash)],
        skips=[],
    )
    sealed = wire.seal(header, inputs=[command_frame], outputs=b"", prev=wire.genesis_hash(genesis))
    return {
        "genesis": genesis,
        "hash_0": wire.genesis_hash(genesis),
        "command_frame": command_frame,
        "link_frame": link_frame,
        "link_hash_1": link_hash,
        "header": sealed.core,
        "inputs_hash": sealed.inputs_hash,
        "outputs_hash": sealed.outputs_hash,
        "hash_1": sealed.hash(),
    }


def test_the_code_makes_the_bytes_of_the_document(made):
    assert made == golden()


def test_a_header_reads_back_as_it_was_written(made):
    header = wire.decode_header(made["header"])

    assert wire.encode(header) == made["header"]
    assert header.takes[0].last == (1_700_000_000_000, 0)
