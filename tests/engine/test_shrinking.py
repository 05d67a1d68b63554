"""A day on which two markets differ becomes a story that a person reads at a glance."""

from tests.helpers.book_day import COMMANDS, TIGHT, obvious_market
from tests.helpers.obvious_book import ObviousBook
from tests.helpers.random_day import GENESIS, RandomDay
from tests.helpers.random_day_shrunk import shrunk_story


class Forgetful(ObviousBook):
    """A book that forgets rule 50: nothing ends the other order of a pair."""

    def end_other(self, one, out):
        one["mate"] = None
        return []


def forgetful_market():
    book = Forgetful(**TIGHT)
    book.configure(GENESIS)
    return book


def test_a_failing_day_shrinks_to_a_small_story():
    day = RandomDay(3).batches(COMMANDS)

    text = shrunk_story(lambda: obvious_market(TIGHT), forgetful_market, day)

    told, _, differs = text.partition("then one says (-) and the other says (+)\n")
    assert len(told.splitlines()) <= 12, "a hello, a word to trade, a pair, and what ends one of it"
    assert "HeldPair" in told
    assert "code='other_leg'" in differs
    assert all(line.startswith(("  - ", "  + ", "    ")) for line in differs.splitlines())


def test_a_day_on_which_both_agree_has_no_story():
    day = RandomDay(3).batches(COMMANDS)

    assert shrunk_story(forgetful_market, forgetful_market, day) == ""
