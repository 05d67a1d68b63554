"""Read amounts that came in a message."""

from apps.common.kernel.money import Wide
from apps.risk.engine.limits import AMOUNT_MAX

_DIGITS_MAX = len(str(AMOUNT_MAX))


def read_amount(amount: Wide) -> int | None:
    """Return a message's amount as an integer, or None if it is none or too large to keep."""
    if isinstance(amount, str):
        digits = amount.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX):
            return None
        amount = int(amount)
    return amount if -AMOUNT_MAX <= amount <= AMOUNT_MAX else None
