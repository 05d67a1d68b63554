"""A known address is answered as fast as an unknown one: medians of 500 each, at most 5 ms apart.

    python -m pytest -s tests/bench/even_answers.py

By its name, because it takes two minutes and wants a quiet machine.
"""

from __future__ import annotations

import time
from statistics import median

import pytest
from django.test import Client

from apps.users.services import people

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]
PASSWORD, ROUNDS, APART_MS_MAX = "correct horse battery", 500, 5.0
KNOWN, UNKNOWN = "alice@example.org", "nobody@example.org"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/session", {"login": "{}", "password": "wrong horse battery"}),
        ("/api/v1/users/resets", {"email": "{}"}),
        (
            "/api/v1/users",
            {"email": "{}", "password": PASSWORD, "full_name": "N", "country": "CH"},
        ),
    ],
)
def test_a_known_address_takes_as_long_as_an_unknown_one(cache, settings, path, body):
    settings.PASSWORD_HASHERS = ["exchange_site.hashers.Argon2id"]
    people.register(email=KNOWN, password=PASSWORD)
    took: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for number in range(ROUNDS):
        cache.flushall()  # Neither is slowed down for trying often.
        for whose, times in took.items():
            browser = Client(REMOTE_ADDR=f"10.{number // 250}.{number % 250}.1")
            terms = {key: value.format(whose) for key, value in body.items()}
            started = time.perf_counter()
            answer = browser.post(path, terms, content_type="application/json")
            times.append(time.perf_counter() - started)
            assert answer.status_code in (202, 401), answer.content

    known, unknown = (median(times) * 1000 for times in took.values())
    print(f"{path}: known {known:.2f} ms, unknown {unknown:.2f} ms")
    assert abs(known - unknown) <= APART_MS_MAX
