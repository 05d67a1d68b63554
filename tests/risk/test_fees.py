"""What a fill costs each side. `docs/rounding.md` holds the worked tables; these are they."""

import msgspec
import pytest

from apps.common.kernel.money import fee_minor
from apps.risk.contracts.commands import FeesSet
from apps.risk.contracts.events import CommandRefused
from matching_worker.contracts.market import MarketSpec
from tests.helpers.trading_stage import SMALL_MARKET, Stage

BTC_USDT = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=8,
    quote_decimals=8,
    price_decimals=2,
    size_decimals=5,
    quote_per_tick_lot=10,  # 0.01 USDT x 0.00001 BTC = 10^-7 USDT
    base_per_lot=1_000,
    min_lots=1,
    max_lots=900_000_000,
    min_notional=500_000_000,
    reference_ticks=5_000_000,
)
USDT = 10**8
BTC = 10**8

SPOT_TIERS = [  # VIP, maker, taker in millionths: requirements.md.
    (0, 1_000, 1_500),
    (1, 800, 1_300),
    (2, 600, 1_100),
    (3, 400, 900),
    (4, 200, 700),
    (5, 100, 500),
    (6, 0, 300),
]


def trade(buyer, seller, *, maker, lots=1_000_000, at=5_000_000):
    """Let buyer and seller trade; `maker` rests first."""
    if maker is buyer:
        buyer.buys(lots=lots, at=at)
        seller.sells(lots=lots, at=at)
    else:
        seller.sells(lots=lots, at=at)
        buyer.buys(lots=lots, at=at)
    return buyer.fills()[-1], seller.fills()[-1]


@pytest.fixture
def btc_usdt():
    """The demo market, with a buyer and a seller of 10 BTC at 50,000: 500,000 USDT."""
    stage = Stage(BTC_USDT)
    return stage, stage.trader("alice", usdt=600_000 * USDT), stage.trader("bob", btc=10 * BTC)


def test_the_spot_fee_on_500_000_at_vip_1_taker_is_650(btc_usdt):
    _, alice, bob = btc_usdt
    bob.pays_fees(tier=1, maker_ppm=800, taker_ppm=1_300)

    _, sold = trade(alice, bob, maker=alice)

    assert sold.quote == 500_000 * USDT
    assert (sold.fee, sold.fee_asset) == (650 * USDT, "USDT")
    assert bob.has() == (500_000 - 650) * USDT


@pytest.mark.parametrize(("tier", "maker_ppm", "taker_ppm"), SPOT_TIERS)
def test_each_tier_pays_its_rates_from_what_it_receives(btc_usdt, tier, maker_ppm, taker_ppm):
    stage, alice, bob = btc_usdt
    for person in (alice, bob):
        person.pays_fees(tier=tier, maker_ppm=maker_ppm, taker_ppm=taker_ppm)

    bought, sold = trade(alice, bob, maker=alice)

    assert (bought.liquidity, bought.fee_asset) == ("M", "BTC")
    assert bought.fee * 1_000_000 == 10 * BTC * maker_ppm
    assert (sold.liquidity, sold.fee_asset) == ("T", "USDT")
    assert sold.fee * 1_000_000 == 500_000 * USDT * taker_ppm
    assert alice.has("BTC") == 10 * BTC - bought.fee
    fees = stage.risks[0].machine.house["fees"]
    assert fees == {"BTC": bought.fee, "USDT": sold.fee}


def test_an_account_without_a_tier_pays_what_the_market_says(btc_usdt):
    _, alice, bob = btc_usdt

    bought, sold = trade(alice, bob, maker=bob)

    assert (bought.fee, sold.fee) == (10 * BTC * 15 // 10_000, 500 * USDT)


def test_new_rates_are_for_fills_from_then_on_whenever_the_order_came(btc_usdt):
    _, alice, bob = btc_usdt
    alice.buys(lots=1_000_000, at=5_000_000)
    alice.pays_fees(tier=6, maker_ppm=0, taker_ppm=300)

    bob.sells(lots=1_000_000, at=5_000_000)

    assert alice.fills()[-1].fee == 0


@pytest.mark.parametrize(
    ("got", "rate_ppm", "fee"),
    [  # docs/rounding.md, "Fees".
        (1, 1_500, 1),
        (666, 1_500, 1),
        (667, 1_500, 2),
        (1_000, 1_000, 1),
        (1_001, 1_000, 2),
        (1_000_000, 0, 0),
        (1, 100_000, 1),
        (19_999, -50, 0),
        (20_000, -50, -1),
        (39_999, -50, -1),
        (500_000, 1_300, 650),
    ],
)
def test_a_fee_rounds_up_and_a_rebate_towards_zero(got, rate_ppm, fee):
    assert fee_minor(got, rate_ppm=rate_ppm) == fee


def test_the_smallest_fill_can_cost_all_that_was_received(stage):
    alice, bob = stage.trader("alice", usdt=100), stage.trader("bob", btc=1)
    alice.pays_fees(maker_ppm=1, taker_ppm=1)
    bob.sells(lots=1, at=100)

    alice.buys(lots=1, at=100)

    assert (alice.fills()[0].base, alice.fills()[0].fee, alice.has("BTC")) == (1, 1, 0)


def test_a_rebate_comes_from_the_fees_account_which_may_go_below_zero():
    stage = Stage(msgspec.structs.replace(SMALL_MARKET, reference_ticks=50_000))
    alice, bob = stage.trader("alice", usdt=50_000), stage.trader("bob", btc=1)
    bob.pays_fees(maker_ppm=-50, taker_ppm=0)
    bob.sells(lots=1, at=50_000)

    alice.buys(lots=1, at=50_000)

    assert (bob.fills()[0].fee, bob.has()) == (-2, 50_002)
    assert stage.risks[0].machine.house["fees"]["USDT"] == -2
    stage.check()


@pytest.mark.parametrize(
    ("maker_ppm", "taker_ppm"), [(100_001, 0), (0, 100_001), (-100_001, 0), (0, -1)]
)
def test_rates_beyond_the_bound_are_refused(stage, maker_ppm, taker_ppm):
    alice = stage.trader("alice")

    (event,) = stage.does(alice.risk, FeesSet(alice.account, 1, maker_ppm, taker_ppm))

    assert isinstance(event, CommandRefused)
    assert event.code == "bad_fees"
