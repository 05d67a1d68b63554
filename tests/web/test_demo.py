"""The simulated world outside: the same for one seed, continuous, and never out of its band."""

from apps.demo import oracle


def test_the_price_is_the_same_for_one_seed_and_moves_on_with_the_clock():
    prices = [oracle.price(50_000, seed=1, market="BTCUSDT", at_s=1e9 + at) for at in range(600)]
    again = [oracle.price(50_000, seed=1, market="BTCUSDT", at_s=1e9 + at) for at in range(600)]
    other = [oracle.price(50_000, seed=2, market="BTCUSDT", at_s=1e9 + at) for at in range(600)]

    assert prices == again
    assert prices != other
    assert len(set(prices)) > 500


def test_the_price_never_leaves_its_band_and_never_jumps():
    before = oracle.price(100, seed=7, market="ETHUSDT", at_s=0)
    for at in range(0, 200_000, 13):
        now = oracle.price(100, seed=7, market="ETHUSDT", at_s=at)
        assert abs(now / 100 - 1) <= oracle.BAND
        assert abs(now / before - 1) < 0.01
        before = now
