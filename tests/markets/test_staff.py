"""Staff with the right may list and delist, by forms that say what is wrong; nobody else may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client

from apps.common.models import AuditRecord
from apps.markets import demo, services
from apps.markets.models import Listing, ListingStep, Market
from apps.users.models import User
from apps.users.services import people, staff
from tests.helpers.factors import has_just_shown
from tests.helpers.staff import SOL, errors_of, hidden_fields

LIST, DELIST = "/admin/markets/market/list/", "/admin/markets/market/BTC-USDT/delist/"
STATE = "/admin/markets/market/BTC-USDT/state/"


@pytest.fixture
def markets(db, journal, cache):
    for spec in demo.MARKETS:
        services.list_market(spec, journal=journal)
        services.open_first(spec.symbol, reason="a test")


@pytest.fixture
def somebody(markets):
    """Return what logs a new person of a role in, whose role may do what the code says."""
    staff.let_staff_in()

    def of_role(role: str) -> Client:
        number = people.register(email=f"{role}@example.org", password="x" * 20, role=role)
        client = Client()
        has_just_shown(client, number, kind="passkey")
        return client

    return of_role


def confirm(client: Client, path: str, fields: dict[str, str]):
    """Send a form, then what its second page carries."""
    page = client.post(path, fields)
    assert page.status_code == 200
    page.text = page.content.decode()
    return client.post(path, hidden_fields(page))


def test_an_operator_lists_a_market_after_a_second_look(somebody):
    operator = somebody("operator")

    first = operator.post(LIST, SOL)
    assert "List SOL-USDT?" in first.content.decode()
    assert "quote_per_tick_lot" in first.content.decode()
    assert not Listing.objects.exists(), "the first page only asks"

    answer = confirm(operator, LIST, SOL)

    listing = Listing.objects.get()
    assert answer.url == f"/admin/markets/listing/{listing.pk}/change/"
    assert (listing.market, listing.state) == ("SOL-USDT", "requested")
    step = ListingStep.objects.get()
    assert (step.by, step.reason) == ("operator@example.org", "asked for by many")
    assert "asked for by many" in operator.get(answer.url).content.decode()


def test_an_operator_delists_a_market_with_a_reason(somebody):
    operator = somebody("operator")
    assert "Delist" in operator.get("/admin/markets/market/BTC-USDT/change/").content.decode()

    confirm(operator, DELIST, {"reason": "nobody traded it"})

    assert Listing.objects.get().state == "close_requested"
    assert ListingStep.objects.get().reason == "nobody traded it"
    assert operator.get(DELIST).status_code == 404, "it is on its way"


def test_an_operator_halts_a_market_with_a_reason_that_the_record_keeps(somebody):
    operator = somebody("operator")
    assert (
        "Set the state" in operator.get("/admin/markets/market/BTC-USDT/change/").content.decode()
    )
    assert "trading" in operator.get(STATE).content.decode()

    assert operator.post(STATE, {"state": "halted"}).status_code == 200, "it asks for the reason"
    assert Market.objects.get(symbol="BTC-USDT").state == "trading"
    answer = operator.post(STATE, {"state": "halted", "reason": "prices look wrong"})

    assert answer.url == "/admin/markets/market/BTC-USDT/change/"
    assert Market.objects.get(symbol="BTC-USDT").state == "halted"
    record = AuditRecord.objects.filter(kind="market.state_set").latest("pk")
    person = User.objects.get(email="operator@example.org")
    assert (record.actor, record.subject) == (f"staff:{person.pk}", "market:BTC-USDT")
    assert record.data == {"was": "trading", "state": "halted", "reason": "prices look wrong"}


def test_a_market_that_comes_or_goes_is_not_operated(somebody):
    operator = somebody("operator")
    confirm(operator, DELIST, {"reason": "nobody traded it"})

    assert operator.get(STATE).status_code == 404
    with pytest.raises(services.NotOperated):
        services.set_state("BTC-USDT", "trading", reason="too late")
    with pytest.raises(services.NotOperated):
        services.set_state("XYZ-USDT", "trading", reason="there is none")
    assert not AuditRecord.objects.filter(kind="market.state_set", data__state="trading").filter(
        data__reason__startswith="t"
    )


def test_the_state_is_set_from_a_shell_too(markets):
    call_command("set_market_state", "ETH-USDT", "post_only", reason="a quiet start")

    assert Market.objects.get(symbol="ETH-USDT").state == "post_only"
    with pytest.raises(CommandError, match="1 to 300"):
        call_command("set_market_state", "ETH-USDT", "trading", reason="")
    with pytest.raises(CommandError, match="No market"):
        call_command("set_market_state", "XYZ-USDT", "trading", reason="there is none")


@pytest.mark.parametrize("role", ["support", "compliance", "treasury", "risk", "auditor"])
def test_no_other_role_may(somebody, role):
    client = somebody(role)
    assert client.get("/admin/markets/market/").status_code == 200
    assert "List a market" not in client.get("/admin/markets/market/").content.decode()

    answers = [client.get(LIST), client.post(LIST, SOL | {"confirmed": "1"})]
    answers += [client.get(DELIST), client.post(DELIST, {"reason": "r", "confirmed": "1"})]
    answers += [client.get(STATE), client.post(STATE, {"reason": "r", "state": "halted"})]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert Market.objects.get(symbol="BTC-USDT").state == "trading"
    assert not Listing.objects.exists()


def test_each_act_needs_its_own_right(somebody):
    client = somebody("support")
    User.objects.get(email="support@example.org").user_permissions.add(
        Permission.objects.get(codename="delist_market")
    )

    assert client.get(DELIST).status_code == 200
    assert client.get(LIST).status_code == 403


def test_customers_and_strangers_get_to_no_form(somebody):
    for client in (Client(), somebody("customer")):
        assert client.get(LIST).status_code == 302
        assert client.post(LIST, SOL | {"confirmed": "1"}).status_code == 302
    assert not Listing.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("tick_size", "0.0000001", "fills would round"),
        ("lot_size", "0.0000000001", "at most 8 decimals"),
        ("symbol", "BTC-USDT", "SOL-USDT"),
        ("base_decimals", "", "required"),
        ("quote_decimals", "6", "counted with 8 decimals"),
        ("reference_price", "a lot", "Enter a number"),
        ("band_percent", "100", "less than 100"),
        ("taker_fee_percent", "-1", "A taker pays"),
        ("reason", "", "required"),
    ],
)
def test_bad_numbers_are_refused_under_their_field(somebody, field, value, says):
    page = somebody("operator").post(LIST, SOL | {field: value, "confirmed": "1"})

    assert page.status_code == 200
    assert f"{field}: " in errors_of(page)
    assert says in errors_of(page).replace("&#x27;", "'")
    assert not Listing.objects.exists()


def test_a_market_that_is_listed_is_not_listed_again(somebody):
    btc = SOL | {"symbol": "BTC-USDT", "base": "BTC", "base_decimals": "8"}
    page = somebody("operator").post(LIST, btc)
    assert "There is, or was, a market of this name" in errors_of(page)


def test_what_does_not_exist_cannot_be_delisted(somebody):
    assert somebody("operator").get("/admin/markets/market/NO-SUCH/delist/").status_code == 404
    assert Market.objects.count() == 2
