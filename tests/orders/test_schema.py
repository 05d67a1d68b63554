"""The API's schema lists every address, and no other ones."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

from apps.orders import schema

API = re.compile(r"(api/v|sapi/|fapi/|dapi/)")
# Addresses that are no part of the API.
OUTSIDE = re.compile(r"api/schema/")


def addresses(patterns, prefix=""):
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, text)
        elif isinstance(pattern, URLPattern):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", text), pattern.callback


def methods_of(view) -> set[str]:
    if hasattr(view, "hot_handlers"):
        return {method.lower() for method in view.hot_handlers}
    known = {"get", "post", "put", "patch", "delete"}
    return {method for method in known if hasattr(view.cls, method)}


@pytest.fixture(scope="module")
def listed():
    return SchemaGenerator().get_schema(request=None, public=True)["paths"]


@pytest.fixture(scope="module")
def routed():
    return {
        f"/{address}": methods_of(view)
        for address, view in addresses(get_resolver().url_patterns)
        if API.match(address) and not OUTSIDE.match(address)
    }


def test_every_address_of_the_api_is_in_its_schema_with_all_its_methods(listed, routed):
    assert routed
    for address, methods in routed.items():
        assert methods <= set(listed.get(address, {})), f"{address} is missing in the schema"


def test_every_address_in_the_schema_exists(listed, routed):
    for address, operations in listed.items():
        if API.match(address.lstrip("/")) and not OUTSIDE.match(address.lstrip("/")):
            assert set(operations) <= routed.get(address, set()), f"{address} is not routed"


def test_every_hot_door_says_what_it_reads():
    for name, view in schema.hot_routes().values():
        assert set(schema.DOORS[name]) == set(view.hot_handlers), name
