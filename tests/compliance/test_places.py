"""Where addresses are, by files in public formats; a look-up never raises."""

from __future__ import annotations

import os
import time

import pytest

from apps.common.config import config
from apps.compliance import places
from apps.compliance.contracts import Place
from tests.compliance.conftest import write_mmdb


def test_an_address_is_found_with_its_city_in_either_family(sample_places):
    assert places.place_of(sample_places.swiss) == Place("CH", "Bern", False)
    assert places.place_of(f"::ffff:{sample_places.swiss}").country == "CH"
    assert places.place_of(sample_places.swiss_6) == Place("CH", None, False)
    assert places.place_of("2606:4700:1::5").is_hosting


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "100.64.0.1",
        "fe80::1%eth0", "fd00::1", "198.51.100.7", "0.0.0.0", "", "no address", "8.8.8",
        "8.8.8.8/8", "1.1.1.1", "x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_private_malformed_or_in_no_file_is_unknown(sample_places, address):
    assert places.place_of(address) == Place()


@pytest.mark.parametrize("content", [None, b"", b"no database", b"\xab\xcd\xefMaxMind.com"])
def test_a_file_that_is_missing_or_broken_knows_nothing(sample_places, monkeypatch, content):
    for name, setting in (("a.mmdb", "FAIRBOOK_GEO_PLACES"), ("b.txt", "FAIRBOOK_GEO_HOSTING")):
        path = sample_places.folder / name
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setenv(setting, str(path))

    assert places.place_of(sample_places.swiss) == Place()


@pytest.mark.parametrize(
    ("record", "is_hosting"),
    [
        ({"is_hosting_provider": True}, True),
        ({"is_anonymous": False, "is_hosting_provider": False}, False),
        ({"is_anonymous_vpn": True, "is_hosting_provider": False}, True),
        ({"autonomous_system_organization": "Machines Ltd"}, True),
    ],
)
def test_a_database_of_anonymous_addresses_is_read_in_its_usual_shapes(
    sample_places, monkeypatch, record, is_hosting
):
    path = write_mmdb(sample_places.folder / "anonymous.mmdb", {"8.8.0.0/16": record})
    monkeypatch.setenv("FAIRBOOK_GEO_HOSTING", f"{path},{sample_places.folder}/hosting.txt")

    assert places.place_of(sample_places.swiss) == Place("CH", "Bern", is_hosting)
    assert places.place_of(sample_places.hosted).is_hosting
    assert not places.place_of("9.9.9.9").is_hosting


def test_a_new_file_is_read_without_a_restart(sample_places):
    assert places.place_of(sample_places.swiss).country == "CH"

    file = write_mmdb(sample_places.folder / "places.mmdb", {"8.8.0.0/16": {"country_code": "FR"}})
    os.utime(file, (time.time() + 5, time.time() + 5))

    assert places.place_of(sample_places.swiss).country == "FR"


def test_asking_again_costs_microseconds(sample_places):
    places.place_of(sample_places.swiss)
    began = time.thread_time()
    for _ in range(200):
        places.place_of(sample_places.swiss)
    each_s = (time.thread_time() - began) / 200
    print(f"{each_s * 1e6:.0f} µs each")
    assert each_s < 0.002


def test_the_package_of_free_data_is_read_as_it_comes():
    path = config.path("FAIRBOOK_GEO_PLACES")
    assert path.exists(), "install the Node packages (make setup): it is one of them"

    assert places.place_of("5.160.0.1").country == "IR"
    assert places.place_of("2001:4860:4860::8888").country == "US"
    assert places.place_of("203.0.113.9").is_hosting, "of the sample list that is shipped"
