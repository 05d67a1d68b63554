"""The pages on security name what shows their claims: all of it has to be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/threat-model.md", "docs/asvs.md")
NAMED = re.compile(
    r"`((?:apps|docs|exchange_site|static|templates|tests)/[\w./-]+\.\w+)(?:::(\w+))?`"
)
LINKED = re.compile(r"\]\(([^)#:]+)\)")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (met|not met|–) \| (.+) \|$", re.MULTILINE)
BROWSER_STORES = ("localStorage", "sessionStorage", "indexedDB")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_test_that_a_page_names_exists(page):
    named = NAMED.findall((ROOT / page).read_text())

    assert len(named) > 20
    gone = [path for path, _ in named if not (ROOT / path).is_file()]
    assert not gone, f"{page} names {gone}: say what shows it now, or that it is not met"
    for path, test in named:
        is_there = not test or re.search(rf"def {test}\b", (ROOT / path).read_text())
        assert is_there, f"{page} names {path}::{test}: say what shows it now"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_that_a_page_links_to_exists(page):
    for link in LINKED.findall((ROOT / page).read_text()):
        assert ((ROOT / page).parent / link).exists(), f"{page} links to {link}"


def test_every_requirement_is_there_once_and_counted():
    text = (ROOT / "docs/asvs.md").read_text()
    rows = re.findall(
        r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (met|not met|–) \| (.+) \|$", text, re.MULTILINE
    )

    assert len(rows) == len({number for number, *_ in rows}) == 217
    said = re.search(r"Of (\d+) .*?, (\d+) are met, (\d+) are not, (\d+) do not apply", text)
    counts = [sum(row[2] == word for row in rows) for word in ("met", "not met", "–")]
    assert list(map(int, said.groups())) == [len(rows), *counts], "count again"
    assert all(row[3].strip() for row in rows), "say what shows it, or why not"


def test_pages_store_nothing_in_browsers():
    files = [*(ROOT / "static/js").rglob("*.js"), *(ROOT / "templates").rglob("*.html")]
    found = [path.name for path in files if any(w in path.read_text() for w in BROWSER_STORES)]
    assert not found, f"{found}: what is stored there outlives the log-in (docs/asvs.md, 14.3.3)"
