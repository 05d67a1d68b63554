"""What the rules say by country and tier, and that a change reaches open sessions."""

from __future__ import annotations

import datetime
import time
from typing import Any

import msgspec
import pytest
import redis
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.compliance import selectors, services
from apps.compliance.contracts import EVERYWHERE_ELSE, RuleBook, Terms
from apps.compliance.models import RuleDecision, RuleVersion
from apps.users.models import User
from apps.users.services import accounts, people
from apps.users.standing import codes, computing, telling
from tests.helpers.standings import published

PASSWORD = "correct horse battery"
REASON = "because of a test"


@pytest.fixture
def staff(db, cache) -> tuple[int, int]:
    """Return two of compliance."""
    return tuple(
        people.register(email=f"c{n}@example.org", password=PASSWORD, role="compliance")
        for n in (1, 2)
    )


def changed(country: str, **fields: Any) -> list[Terms]:
    """Return the rules in force with another row for one country."""
    terms = dict(selectors.rules_in_force().terms)
    old = terms.get(country) or Terms(country=country)
    terms[country] = msgspec.structs.replace(old, **fields)
    return list(terms.values())


def bring_in(staff: tuple[int, int], terms: list[Terms], **options: Any) -> int:
    first, second = staff
    options = {"effective_from": timezone.now()} | options
    version = services.propose(terms, by=first, reason=REASON, **options)
    services.decide(version, approved=True, by=second, reason=REASON)
    return version


def open_account(country: str, *, tier: int = 2) -> int:
    user = people.register(email=f"{country or 'x'}{tier}@example.org", password=PASSWORD)
    User.objects.filter(pk=user).update(country=country, has_factor=True)
    return accounts.create_account(user_id=user, kyc_tier=tier).account


BOOK = RuleBook(
    version=1,
    terms={
        "*": Terms(country="*", spot_from=1, perpetual_from=2, deposits_from=1, withdrawals_from=1),
        "US": Terms(country="US", spot_from=2, deposits_from=2, withdrawals_from=1),
        "KP": Terms(country="KP", is_sanctioned=True),
    },
)


@pytest.mark.parametrize(
    ("country", "tier", "products", "deposits", "withdrawals"),
    [
        ("CH", 0, (), False, False),
        ("CH", 1, ("spot",), True, True),
        ("CH", 2, ("spot", "perpetual"), True, True),
        ("US", 1, (), False, True),
        ("US", 4, ("spot",), True, True),
        ("KP", 4, (), False, False),
        ("", 4, (), False, False),
    ],
)
def test_a_country_and_a_tier_say_what_is_open(country, tier, products, deposits, withdrawals):
    policy = BOOK.policy(country, tier)

    assert (policy.products, policy.deposits, policy.withdrawals) == (
        products,
        deposits,
        withdrawals,
    )
    assert policy.is_known is (country != "")
    assert policy.is_sanctioned is (country == "KP")


@pytest.mark.django_db
def test_the_shipped_rules_are_in_force_and_pass_their_own_checks(cache):
    book = selectors.rules_in_force()

    services._check(list(book.terms.values()))
    assert EVERYWHERE_ELSE in book.terms
    assert selectors.is_sanctioned("KP")
    assert not selectors.is_sanctioned(None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "tier", "reasons"),
    [
        ("CH", 1, ()),
        ("", 2, (codes.COUNTRY_UNKNOWN,)),
        ("IR", 3, (codes.COUNTRY_NOT_SERVED,)),
        ("CN", 2, (codes.COUNTRY_NO_TRADING, codes.COUNTRY_NO_DEPOSITS)),
        ("", 0, (codes.COUNTRY_UNKNOWN, codes.NOT_VERIFIED)),
    ],
)
def test_where_somebody_lives_is_part_of_what_they_may_do(cache, country, tier, reasons):
    (standing,) = computing.read([open_account(country, tier=tier)])

    assert standing.reasons == reasons
    assert standing.may_trade is (reasons == ())
    assert standing.may_cancel


@pytest.mark.django_db
def test_a_new_version_counts_from_its_time_and_never_before_its_approval(staff):
    before = selectors.version_in_force()
    soon = timezone.now() + datetime.timedelta(hours=1)

    version = bring_in(staff, changed("FR", spot_from=3), effective_from=soon)

    assert selectors.version_in_force() == before
    assert selectors.version_in_force(soon) == version
    assert selectors.rules_in_force(soon).terms["FR"].spot_from == 3
    long_ago = timezone.now() - datetime.timedelta(days=9)
    back = bring_in(staff, changed("FR", spot_from=2), effective_from=long_ago)
    assert selectors.version_in_force() == back
    decision = RuleDecision.objects.get(version=back)
    assert decision.effective_at == decision.decided_at > long_ago


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"country": "ZZ", "spot_from": 1}, "no country"),
        ({"country": "FR", "spot_from": 5}, "a tier is 1 to 4"),
        ({"country": "FR", "is_sanctioned": True, "spot_from": 1}, "under sanctions"),
        ({"country": "FR", "spot_from": 3, "perpetual_from": 2}, "trades spot"),
        ({"country": "*", "is_sanctioned": True}, "Everywhere else"),
    ],
)
def test_rules_that_cannot_be_are_refused(staff, fields, said):
    terms = [t for t in selectors.rules_in_force().terms.values() if t.country != fields["country"]]

    with pytest.raises(services.BadRules, match=said):
        services.propose(
            [*terms, Terms(**fields)], by=staff[0], reason=REASON, effective_from=timezone.now()
        )

    assert RuleVersion.objects.count() == 1


@pytest.mark.django_db
def test_nothing_of_a_version_can_be_edited_or_deleted(staff):
    version = bring_in(staff, changed("FR", spot_from=3))

    for table, field, named in (
        ("compliance_countryrule", "spot_from = 1", "version_id"),
        ("compliance_ruleversion", "reason = 'another'", "id"),
        ("compliance_ruledecision", "is_approved = false", "version_id"),
    ):
        for act in (f"UPDATE {table} SET {field}", f"DELETE FROM {table}"):
            with (
                pytest.raises(DatabaseError, match="only grows"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(f"{act} WHERE {named} = %s", [version])


def _until(claim: Any) -> float:
    began = time.monotonic()
    while not claim():
        assert time.monotonic() - began < 5
        time.sleep(0.01)
    return time.monotonic() - began


def _may_trade(cache: redis.Redis, account: int) -> bool | None:
    standing = telling.standing_in(cache.get(telling.key_of(account)))
    return standing.may_trade if standing is not None else None


@pytest.mark.usefixtures("transactional_db")
def test_a_changed_rule_takes_effect_for_open_sessions_at_once(cache):
    one, other = (
        people.register(email=f"c{n}@example.org", password=PASSWORD, role="compliance")
        for n in (1, 2)
    )
    french, swiss = open_account("FR"), open_account("CH")
    with published():
        _until(lambda: _may_trade(cache, french))
        bring_in((one, other), changed("FR", is_sanctioned=True))

        took_s = _until(lambda: _may_trade(cache, french) is False)

        print(f"told {took_s:.3f} s after the decision")
        assert _may_trade(cache, swiss)
        soon = timezone.now() + datetime.timedelta(seconds=1)
        bring_in((one, other), changed("FR", is_sanctioned=False, spot_from=1), effective_from=soon)
        _until(lambda: _may_trade(cache, french))
        assert timezone.now() >= soon


@pytest.mark.django_db
def test_who_is_not_served_is_refused_by_country_and_by_address(cache, sample_places):
    for country, address in (("KP", ""), ("CH", sample_places.sanctioned)):
        with pytest.raises(services.CountryNotServed) as refused:
            services.check_served(country=country, address=address)
        assert (refused.value.code, refused.value.http_status) == ("country_not_served", 403)

    services.check_served(country="CH", address=sample_places.swiss)
    services.check_served(country="CH", address="127.0.0.1")
    services.check_served(country="", address="no address")


@pytest.mark.django_db
def test_countries_that_do_not_agree_are_a_reason_to_look(cache, sample_places):
    signals = selectors.country_signals

    assert signals(declared="CH", document="CH", address="CH", ip=sample_places.swiss) == []
    assert signals(declared="CH", document="FR") == ["countries_disagree"]
    assert signals(declared="CH", ip="127.0.0.1") == ["address_unknown"]
    assert signals(declared="FR", ip=sample_places.swiss) == ["address_elsewhere"]
    hosted = signals(declared="CH", ip=sample_places.hosted)
    assert hosted == ["address_hosted"]
    assert signals(declared="CH", document="IR") == ["countries_disagree", "country_not_served"]
    assert "country_not_served" in signals(declared="CH", ip=sample_places.sanctioned)


def test_the_tables_are_owned_by_nobody_who_serves(transactional_db, settings):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.APP_DATABASE_ROLE])
        assert cursor.fetchone(), "the services have a role of their own"
        for table in ("compliance_ruleversion", "compliance_countryrule"):
            cursor.execute(
                "SELECT has_table_privilege(%s, %s, 'UPDATE')", [settings.APP_DATABASE_ROLE, table]
            )
            assert cursor.fetchone() == (False,)
