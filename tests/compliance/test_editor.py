"""The editor of the rules in the back office: one proposes, another sees what changes, decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.compliance import selectors
from apps.users.services import people, staff
from tests.helpers.factors import has_just_shown

PASSWORD = "correct horse battery"
RULES, EDIT = "/admin/compliance/rules/", "/admin/compliance/rules/edit/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(cache) -> dict[str, Client]:
    """Return browsers of two of compliance and one of support."""
    staff.let_staff_in()
    return {
        name: _browser(name, role)
        for name, role in (("one", "compliance"), ("two", "compliance"), ("sue", "support"))
    }


def _browser(name: str, role: str) -> Client:
    person = people.register(email=f"{name}@example.org", password=PASSWORD, role=role)
    browser = Client()
    has_just_shown(browser, person, kind="passkey")
    return browser


def form_of(browser: Client) -> dict[str, Any]:
    """Return the editor's form as a browser would send it back."""
    page = browser.get(EDIT)
    assert page.status_code == 200
    rows, proposal = page.context["rows"], page.context["form"]
    forms = [rows.management_form, *rows.forms, proposal]
    fields = [form[name] for form in forms for name in form.fields]
    return {field.html_name: field.value() or "" for field in fields} | {"reason": "for a test"}


def row_of(form: dict[str, Any], country: str) -> str:
    named = (name for name, value in form.items() if name.endswith("-country") and value == country)
    return next(named).removesuffix("-country")


def test_one_proposes_another_sees_the_difference_and_approves(office):
    form = form_of(office["one"])
    row = row_of(form, "US")
    form[f"{row}-spot_from"] = "3"
    empty = row_of(form, "")
    form |= {f"{empty}-country": "FR", f"{empty}-is_sanctioned": "on"}

    proposed = office["one"].post(EDIT, form)

    assert proposed.status_code == 302, proposed.content.decode()
    (waiting,) = selectors.open_versions()
    path = f"{RULES}{waiting.pk}/"
    own, other = (office[name].get(path).content.decode() for name in ("one", "two"))
    assert "another person decides" in own
    assert 'name="approve"' not in own
    assert "<del>tier 2</del>" in other
    assert "<ins>tier 3</ins>" in other
    assert "France" in other
    assert office["two"].post(path, {"approve": "", "reason": "seen"}).status_code == 302
    assert selectors.version_in_force() == waiting.pk
    assert selectors.is_sanctioned("FR")
    assert "In force: version" in office["sue"].get(RULES).content.decode()


def test_who_proposed_cannot_approve_by_sending_the_form_anyway(office):
    form = form_of(office["one"])
    form[f"{row_of(form, 'GB')}-DELETE"] = "on"
    office["one"].post(EDIT, form)
    (waiting,) = selectors.open_versions()

    answer = office["one"].post(f"{RULES}{waiting.pk}/", {"approve": "", "reason": "mine"})

    assert answer.status_code == 200
    assert selectors.version_in_force() != waiting.pk
    assert selectors.open_versions() == [waiting]


def test_others_of_the_staff_look_and_do_nothing(office):
    form = form_of(office["one"])
    form[f"{row_of(form, 'GB')}-DELETE"] = "on"
    office["one"].post(EDIT, form)
    (waiting,) = selectors.open_versions()
    path = f"{RULES}{waiting.pk}/"

    assert office["sue"].get(RULES).status_code == 200
    assert office["sue"].get(EDIT).status_code == 403
    assert office["sue"].post(EDIT, form).status_code == 403
    assert office["sue"].post(path, {"approve": "", "reason": "no"}).status_code == 403
    assert Client().get(RULES).status_code == 302
    assert office["one"].get(f"{RULES}999999/").status_code == 404
    assert selectors.open_versions() == [waiting]


def test_a_refusal_is_shown_on_the_form_and_a_refused_version_stays_out(office):
    form = form_of(office["one"])
    nothing = office["one"].post(EDIT, form)
    assert "in force already" in nothing.content.decode()

    row = row_of(form, "GB")
    bad = office["one"].post(EDIT, form | {f"{row}-spot_from": "", f"{row}-perpetual_from": "2"})
    assert "trades spot" in bad.content.decode()

    office["one"].post(EDIT, form | {f"{row}-spot_from": "4"})
    (waiting,) = selectors.open_versions()
    office["two"].post(f"{RULES}{waiting.pk}/", {"refuse": "", "reason": "too strict"})
    assert selectors.open_versions() == []
    assert selectors.rules_in_force().terms["GB"].spot_from == 1
