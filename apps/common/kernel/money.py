"""Whole-number money: ticks, lots and minor units inside, decimal strings outside.

A market is listed only if one tick times one lot is a whole number of quote minor units, so a
notional never rounds. Every rounding that is left names its winner.
"""

from typing import NewType

Ticks = NewType("Ticks", int)  # A price, counted in the market's smallest price step.
Lots = NewType("Lots", int)  # A size, counted in the market's smallest tradable amount.
Minor = NewType("Minor", int)  # An amount of one asset, counted in its smallest unit.

# An amount in a message or a snapshot. msgpack carries 64-bit integers; ten ether in wei are more.
WIDE_MIN, WIDE_MAX = -(2**63), 2**63 - 1
Wide = int | str

PPM = 1_000_000


def wide(amount: int) -> Wide:
    """Return `amount` as messages carry it: an integer up to 64 bits, else a decimal string."""
    return amount if WIDE_MIN <= amount <= WIDE_MAX else str(amount)


def fee_minor(amount: int, *, rate_ppm: int) -> int:
    """Charge `rate_ppm` millionths: a fee rounds up (the house wins), a rebate towards zero."""
    return -(-amount * rate_ppm // PPM)


def parse_units(text: str, *, decimals: int) -> int | None:
    """Read a plain decimal string as a whole number of units of 10^-decimals.

    Returns None when the text is no plain decimal (signs, exponents, blanks, other scripts' digits)
    or is finer than one unit.
    """
    if not text.isascii() or len(text) > 40:
        return None
    whole, dot, fraction = text.partition(".")
    if not whole.isdigit() or (dot and not fraction.isdigit()):
        return None
    kept, cut = fraction[:decimals], fraction[decimals:]
    if cut.strip("0"):
        return None
    return int(whole + kept.ljust(decimals, "0"))


def format_units(amount: int, *, decimals: int) -> str:
    """Write a whole number of units of 10^-decimals as a decimal string with all its decimals."""
    sign, digits = ("-", str(-amount)) if amount < 0 else ("", str(amount))
    if decimals == 0:
        return sign + digits
    digits = digits.rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"
