"""What staff roles may do."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from apps.users.contracts import STAFF_ACTS, STAFF_ROLES


@transaction.atomic
def let_staff_in() -> None:
    """Give every staff role the right to see every table in the back office, and its own acts."""
    views = Permission.objects.filter(codename__startswith="view_")
    for role in STAFF_ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set([*views, *_acts_of(role)])


def _acts_of(role: str) -> list[Permission]:
    named = (act.partition(".") for act in STAFF_ACTS.get(role, ()))
    return [
        Permission.objects.get(content_type__app_label=app, codename=codename)
        for app, _, codename in named
    ]
