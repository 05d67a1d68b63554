"""Where a network address is: from files in public formats, named by settings.

Countries (and cities) come from an MMDB file; places where no person sits from MMDB files or plain
lists of networks, one a line. An address that is private, or in no file, is unknown. A look-up
never raises; a file that is missing or broken knows nothing, and the log says so once.
"""

from __future__ import annotations

import bisect
import functools
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import maxminddb
import structlog
from django_countries import countries

from apps.common.config import ROOT, config
from apps.compliance.contracts import Place

REMEMBERED = 8_192
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Stamp = tuple[tuple[str, int], ...]
UNKNOWN = Place()
ANONYMOUS = frozenset(
    {
        "is_anonymous",
        "is_anonymous_vpn",
        "is_anonymous_proxy",
        "is_hosting_provider",
        "is_hosting",
        "is_public_proxy",
        "is_residential_proxy",
        "is_tor_exit_node",
        "is_vpn",
    }
)

log = structlog.get_logger("fairbook.compliance")


def place_of(address: str) -> Place:
    """Say where an address is, as far as is known. Costs microseconds once it was asked."""
    return _place_of(address, _stamp())


def name_of(place: Place) -> str:
    """Name a place for people, "Bern, Switzerland", or "" if it is unknown."""
    country = countries.name(place.country) if place.country else ""
    return ", ".join(part for part in (place.city, str(country)) if part)[:80]


@functools.lru_cache(maxsize=REMEMBERED)
def _place_of(address: str, stamp: Stamp) -> Place:
    try:
        parsed: Address = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    where, *others = (_opened(path, at) for path, at in stamp)
    is_hosting = any(_is_hosting(other.record(parsed)) for other in others)
    if not parsed.is_global:
        return Place(is_hosting=is_hosting)
    record = where.record(parsed)
    return Place(_country_in(record), _city_in(record), is_hosting)


def _stamp() -> Stamp:
    """Name the files and when they were written: a new file is read at once."""
    paths = [config.path("FAIRBOOK_GEO_PLACES")]
    paths += [ROOT / word for word in config.words("FAIRBOOK_GEO_HOSTING")]
    return tuple((str(path), _written_at(path)) for path in paths)


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


class _Source(Protocol):
    def record(self, address: Address) -> Any:
        """Return what the file says of an address, or None."""


class _Mmdb:
    def __init__(self, path: str) -> None:
        self._reader = maxminddb.open_database(path, maxminddb.MODE_AUTO)

    def record(self, address: Address) -> Any:
        """Return what the file says of an address, or None."""
        try:
            return self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):  # As of IPv6 in a file of IPv4.
            return None


class _Ranges:
    """A plain list of networks; what follows a # is a remark."""

    def __init__(self, path: str) -> None:
        lines = (line.partition("#")[0].strip() for line in Path(path).read_text().splitlines())
        networks = [ipaddress.ip_network(line, strict=False) for line in lines if line]
        self._bounds = {4: _bounds(networks, 4), 6: _bounds(networks, 6)}

    def record(self, address: Address) -> Any:
        """Return whether the list has the address."""
        starts, ends = self._bounds[address.version]
        place = bisect.bisect_right(starts, int(address)) - 1
        return (place >= 0 and int(address) <= ends[place]) or None


class _Nothing:
    def record(self, _address: Address) -> Any:
        """Return None."""


def _bounds(networks: list[Any], version: int) -> tuple[list[int], list[int]]:
    of_version = [network for network in networks if network.version == version]
    found = list(ipaddress.collapse_addresses(of_version))
    return (
        [int(network.network_address) for network in found],
        [int(network.broadcast_address) for network in found],
    )


@functools.lru_cache(maxsize=16)
def _opened(path: str, at: int) -> _Source:
    """Open a file as it was written at that time."""
    try:
        return _Mmdb(path) if path.endswith(".mmdb") else _Ranges(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        log.warning("compliance.places.unreadable", path=path, at=at, reason=str(error)[:200])
        return _Nothing()


def _country_in(record: Any) -> str | None:
    """Read the country of a record in any of the usual shapes."""
    if not isinstance(record, Mapping):
        return None
    found = record.get("country_code") or record.get("country") or record.get("iso_code")
    if isinstance(found, Mapping):
        found = found.get("iso_code")
    if isinstance(found, str) and len(found) == 2 and found.isalpha():
        return found.upper()
    return None


def _city_in(record: Any) -> str | None:
    found = record.get("city") if isinstance(record, Mapping) else None
    if isinstance(found, Mapping):
        found = (found.get("names") or {}).get("en")
    return found if isinstance(found, str) and found else None


def _is_hosting(record: Any) -> bool:
    """Whether a record says so: by one of the usual flags, or by being there without any."""
    if isinstance(record, Mapping):
        flags = ANONYMOUS & record.keys()
        return any(record[flag] for flag in flags) if flags else True
    return bool(record)
