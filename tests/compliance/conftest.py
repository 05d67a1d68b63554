"""Files of places, small and made here: what they say is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from apps.compliance import places


@dataclass(frozen=True)
class SamplePlaces:
    """Addresses of the sample, by what is so of them."""

    folder: Path
    swiss: str = "8.8.8.8"
    swiss_6: str = "2606:4700::1"
    sanctioned: str = "9.9.9.9"
    hosted: str = "8.8.4.4"


def write_mmdb(path: Path, records: dict[str, dict], *, kind: str = "Sample") -> Path:
    """Write a file of records by network."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def sample_places(tmp_path, monkeypatch) -> Iterator[SamplePlaces]:
    """Know a few networks: two Swiss, one of a sanctioned country, one of a data centre."""
    file = write_mmdb(
        tmp_path / "places.mmdb",
        {
            "8.8.0.0/16": {"country": {"iso_code": "CH"}, "city": {"names": {"en": "Bern"}}},
            "2606:4700::/32": {"country_code": "CH"},
            "9.9.9.0/24": {"country_code": "IR"},
        },
    )
    hosting = tmp_path / "hosting.txt"
    hosting.write_text("# machines\n8.8.4.0/24  # a data centre\n2606:4700:1::/48\n")
    monkeypatch.setenv("FAIRBOOK_GEO_PLACES", str(file))
    monkeypatch.setenv("FAIRBOOK_GEO_HOSTING", str(hosting))
    places._place_of.cache_clear()
    yield SamplePlaces(tmp_path)
    places._place_of.cache_clear()
