"""Which values a space holds."""

from __future__ import annotations

import math
from typing import Any

from harness.spec import ChoiceSpace, FloatSpace, IntSpace, Space

GRID_TOLERANCE = 1e-8
GOLDEN_SHARE = 0.382
"""Of a range, up to a value that is on no grid by chance."""


def holds(space: Space, value: Any) -> bool:
    """Whether a search of this space could give the value."""
    if isinstance(space, ChoiceSpace):
        return is_one_of(value, space.choices)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    if isinstance(space, IntSpace) and not isinstance(value, int):
        return False
    if not space.low <= value <= top(space):
        return False
    if space.step is None or space.log:
        return True
    steps = (value - space.low) / space.step
    return abs(steps - round(steps)) < GRID_TOLERANCE


def is_one_of(value: Any, values: tuple[Any, ...]) -> bool:
    """Whether the value is among them; true is not 1, and 1.0 is."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in values)


def top(space: FloatSpace | IntSpace) -> float:
    """The highest value of a range: `high`, or the last step below it."""
    if space.step is None or space.log:
        return space.high
    steps = math.floor((space.high - space.low) / space.step + GRID_TOLERANCE)
    return space.low + steps * space.step


def probes(space: Space) -> tuple[Any, ...]:
    """Values that are legal if all of the space is: each choice, or the ends and one between them."""
    if isinstance(space, ChoiceSpace):
        return space.choices
    if isinstance(space, IntSpace):
        return tuple(dict.fromkeys((space.low, int(top(space)))))
    between = space.low + (space.step or GOLDEN_SHARE * (space.high - space.low))
    return tuple(dict.fromkeys((space.low, min(between, top(space)), top(space))))
