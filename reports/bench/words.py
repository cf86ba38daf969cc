"""Numbers of a bench as a reader wants them: three digits that count."""

from __future__ import annotations

import math
from collections.abc import Iterable

from reports.bench.ratios import Ratio
from reports.text import DASH

MIB = 2**20


def three_digits(number: float | None) -> str:
    """``12,346``, ``123``, ``12.3``, ``1.23``, ``0.0123``; a dash for None and NaN."""
    if number is None or math.isnan(number):
        return DASH
    return f"{number:,.{decimals(number)}f}"


def decimals(number: float, digits: int = 3) -> int:
    """How many places after the point leave so many digits that count, 6 places at most."""
    if not number or not math.isfinite(number):
        return 0
    # Of the number as it will be shown: 0.9996 is 1.00.
    size = math.floor(math.log10(float(f"{abs(number):.{digits - 1}e}")))
    return min(6, max(0, digits - 1 - size))


def ratio_words(found: Ratio | None) -> str:
    """``2.01 [1.95, 2.08]``, ``1.002 [0.987, 1.013]``, all with the same places."""
    if found is None:
        return DASH
    # Near 1 it matters on which side an end lies.
    places = 3 if 0.9 < found.estimate < 1.1 else decimals(found.estimate)
    words = f"{found.estimate:,.{places}f}"
    if not found.has_interval:
        return f"{words} (no interval)"
    return f"{words} [{found.lower:,.{places}f}, {found.upper:,.{places}f}]"


def span(low: float, high: float) -> str:
    """``1.20 to 1.34``."""
    places = decimals(high)
    return f"{low:,.{places}f} to {high:,.{places}f}"


def millions(number: float) -> str:
    """A count in millions."""
    return three_digits(number / 1e6)


def billions(number: float | None) -> str:
    """A count in billions; a dash where nothing was counted."""
    return DASH if number is None else three_digits(number / 1e9)


def mebibytes(number: float | None) -> str:
    """Bytes in MiB; a dash where they could not be read."""
    return DASH if number is None else three_digits(number / MIB)


def distinct(values: Iterable[object]) -> str:
    """``1, 2``: each value once, in the order of appearance."""
    return ", ".join(dict.fromkeys(map(str, values)))
