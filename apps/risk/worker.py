"""The process of a risk partition: `python -m apps.risk.worker --partition 0 --member a`.

Two members run per partition; the journal's epoch says which of them owns it, the other stands by.
No Django here: a worker is light, and starts at once.
"""

import argparse
import sys
from functools import partial

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.journals import process
from apps.journals.keys import worker_of_partition
from apps.risk.codec import RISK_CODEC
from apps.risk.engine import RiskMachine


def main(argv: list[str] | None = None) -> None:
    """Run until asked to stop."""
    parser = argparse.ArgumentParser(prog="apps.risk.worker", description=__doc__)
    parser.add_argument(
        "--partition", type=int, required=True, choices=range(PARTITIONS_MAX), metavar="P"
    )
    parser.add_argument("--member", default="a", help="which of the two processes this is: a or b")
    chosen = parser.parse_args(argv)
    sys.exit(
        process.run(
            worker=worker_of_partition(chosen.partition),
            member=chosen.member,
            make_machine=partial(RiskMachine, chosen.partition),
            codec=RISK_CODEC,
        )
    )


if __name__ == "__main__":
    main()
