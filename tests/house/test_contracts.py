"""The committed schemas are what the structs say, and the structs are messages."""

import msgspec
import pytest

from exchange_site.ops import schemas


@pytest.mark.parametrize("name", sorted(schemas.documents()))
def test_the_schema_is_current(name):
    committed = (schemas.FOLDER / name).read_text()

    assert committed == schemas.documents()[name], "run `python -m exchange_site.ops.schemas`"


def test_every_message_is_frozen_and_carries_a_version():
    for family in schemas.FAMILIES.values():
        for struct in family:
            config = struct.__struct_config__
            assert config.frozen, f"{struct.__name__}: messages are never changed, make it frozen"
            assert config.array_like, f"{struct.__name__}: messages travel as arrays"
            if struct.__module__ != "apps.journals.wire":
                assert msgspec.inspect.type_info(struct).tag.rpartition(".v")[2].isdigit(), (
                    f"{struct.__name__}: name a version in its tag"
                )


def test_no_two_messages_share_a_tag():
    """Two struct classes with one tag would decode into each other in a wider union."""
    tags: dict[str, set[type]] = {}
    for struct in schemas.all_structs():
        if isinstance(tag := struct.__struct_config__.tag, str):
            tags.setdefault(tag, set()).add(struct)

    assert {tag: found for tag, found in tags.items() if len(found) > 1} == {}
