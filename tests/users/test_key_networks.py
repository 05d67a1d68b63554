"""From where a key may be used: one way of writing it, and what lies inside."""

from __future__ import annotations

import pytest

from apps.users import networks

LIST = networks.of_words(["192.0.2.0/24", "203.0.113.9/32", "2001:db8:7::/48"])


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["192.0.2.7"], ("192.0.2.7/32",)),
        (["192.0.2.77/24"], ("192.0.2.0/24",)),
        ([" 2001:DB8:0:0::1 "], ("2001:db8::1/128",)),
        (["::ffff:192.0.2.7"], ("192.0.2.7/32",)),
        (["::ffff:192.0.2.0/120"], ("192.0.2.0/24",)),
        (["192.0.2.0/25", "192.0.2.128/25", "192.0.2.1"], ("192.0.2.0/24",)),
        (["2001:db8::/48", "10.0.0.0/8"], ("10.0.0.0/8", "2001:db8::/48")),
        ([], ()),
    ],
)
def test_a_list_of_networks_is_written_one_way(words, written):
    assert networks.normalised(words) == written
    assert networks.normalised(written) == written


@pytest.mark.parametrize(
    "words",
    [
        ["everywhere"],
        ["192.0.2.0/33"],
        ["192.0.2"],
        ["0.0.0.0/0"],
        ["::/0"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["::ffff:0:0/96"],
        [""],
    ],
)
def test_what_names_nobody_in_particular_is_refused(words):
    with pytest.raises(ValueError, match=r"wide|IPv4|IPv6|appear|octet"):
        networks.normalised(words)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("192.0.2.255", True),
        ("::ffff:192.0.2.1", True),
        ("203.0.113.9", True),
        ("203.0.113.10", False),
        ("2001:db8:7:ffff::1%eth0", True),
        ("2001:db8:8::1", False),
        ("", False),
        ("testserver", False),
    ],
)
def test_an_address_is_inside_or_not(address, is_allowed):
    assert networks.allow(LIST, address) is is_allowed
    assert networks.allow((), address)


def test_a_network_lies_within_a_wider_one_of_its_kind():
    def within(*words: str) -> bool:
        return networks.are_within(networks.of_words(words), LIST)

    assert within("192.0.2.128/25", "2001:db8:7:1::/64")
    assert not within("192.0.0.0/16")
    assert not within("192.0.2.128/25", "2001:db8::/32")
