"""The back office looks and never touches, whoever looks."""

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from apps.users.models import ApiKey, User
from apps.users.services import people, staff
from tests.helpers.factors import has_just_shown

PAGES = sorted(admin.site._registry.values(), key=lambda page: page.model._meta.label)
SECRETS = {"password", "sealed_secret", "body", "session_key", "get_data", "post_data"}


@pytest.fixture
def by_the_most_powerful():
    request = RequestFactory().get("/admin/")
    request.user = User(email="admin@fairbook.test", is_staff=True, is_superuser=True)
    return request


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.model._meta.label)
def test_nobody_changes_a_record_here(page, by_the_most_powerful):
    assert page.has_view_permission(by_the_most_powerful)
    assert not page.has_add_permission(by_the_most_powerful)
    assert not page.has_change_permission(by_the_most_powerful)
    assert not page.has_delete_permission(by_the_most_powerful)
    assert page.get_actions(by_the_most_powerful) == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.model._meta.label)
def test_no_page_shows_a_secret(page, by_the_most_powerful):
    shown = {*page.get_fields(by_the_most_powerful), *page.list_display}
    assert not shown & SECRETS


def test_keys_are_among_the_pages():
    assert any(page.model is ApiKey for page in PAGES)


@pytest.mark.django_db
@pytest.mark.usefixtures("cache", "journal")
@pytest.mark.parametrize("page", ["journals", "services", "compliance/rules"])
def test_staff_without_a_role_look_at_nothing(page):
    staff.let_staff_in()
    support = people.register(email="sue@example.org", password="x" * 20, role="support")
    bare = User.objects.create_user("bare@example.org", "x" * 20, is_staff=True)
    browser = Client()

    has_just_shown(browser, support, kind="passkey")
    assert browser.get(f"/admin/{page}/").status_code == 200
    has_just_shown(browser, bare, kind="passkey")
    assert browser.get(f"/admin/{page}/").status_code == 403
