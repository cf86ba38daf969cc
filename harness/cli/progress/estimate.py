"""How long the rest of a study may take, by what its trials took so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Kind = tuple[str, str]
"""The role of a trial, and the identity that it shares with its twins under other seeds."""


@dataclass
class _Mean:
    total: float = 0.0
    count: int = 0

    def add(self, seconds: float) -> None:
        self.total += seconds
        self.count += 1

    @property
    def value(self) -> float:
        return self.total / self.count


@dataclass
class Estimate:
    """Means of what trials took: of a trial's twins if any ended, else of its role, else of all."""

    _means: dict[str, _Mean] = field(default_factory=dict)

    def add(self, kind: Kind, seconds: float) -> None:
        """Learns what a trial took."""
        role, group = kind
        for key in (f"group {group}", f"role {role}", ""):
            self._means.setdefault(key, _Mean()).add(seconds)

    def remaining(
        self, idle: Mapping[Kind, int], running: Sequence[tuple[Kind, float]], lanes: int
    ) -> float | None:
        """The time that so many lanes need for what is left; None while nothing has ended.

        Never less than the longest trial of them, which no number of lanes makes shorter.

        Args:
            idle: How many trials of a kind have not begun.
            running: Of every other trial its kind, and for how many seconds it has been run.
            lanes: How many trials are run at a time.
        """
        if not self._means:
            return None
        waiting = {kind: self._expected(kind) for kind, count in idle.items() if count}
        rests = [max(0.0, self._expected(kind) - elapsed) for kind, elapsed in running]
        work = sum(rests) + sum(idle[kind] * seconds for kind, seconds in waiting.items())
        return max(work / max(1, lanes), *rests, *waiting.values(), 0.0)

    def _expected(self, kind: Kind) -> float:
        role, group = kind
        keys = (f"group {group}", f"role {role}", "")
        return next(self._means[key].value for key in keys if key in self._means)
