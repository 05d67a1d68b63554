"""The process of a book: `python -m matching_worker --market BTC-USDT --member a`.

Two members run per market; the journal's epoch says which of them owns it, the other stands by.
No Django here: a worker is light, and starts at once.
"""

import argparse
import sys
from functools import partial

from apps.common.config import config
from apps.journals import process
from apps.journals.keys import worker_of_market
from matching_worker.codec import BOOK_CODEC
from matching_worker.engine import BookMachine
from matching_worker.engine.ways import NotCompiled, way_named


def main(argv: list[str] | None = None) -> None:
    """Run until asked to stop."""
    parser = argparse.ArgumentParser(prog="matching_worker", description=__doc__)
    parser.add_argument("--market", required=True, help="its symbol, such as BTC-USDT")
    parser.add_argument("--member", default="a", help="which of the two processes this is: a or b")
    chosen = parser.parse_args(argv)
    try:
        way = way_named(config.get("FAIRBOOK_ENGINE"))
    except NotCompiled as error:
        parser.exit(2, f"{error}\n")
    sys.exit(
        process.run(
            worker=worker_of_market(chosen.market),
            member=chosen.member,
            make_machine=partial(BookMachine, way=way),
            codec=BOOK_CODEC,
        )
    )


if __name__ == "__main__":
    main()
