"""The gate of the micro-benchmarks: what each costs in calibration loops, beside what it did cost.

A ratio is a bench's time over that of its calibration loop, so that it is the same on a faster machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import Field

from harness.spec.base import Frozen

LIMIT = 1.3
"""A bench that costs so many times what is stored is a regression."""

RESTS = (0.0, 0.3, 1.0, 2.0, 4.0)
"""Seconds before a bench that looks slower is measured again: noise only ever adds time, and passes."""

STORE = "tox -e bench-baseline"


class Machine(Frozen):
    """Where ratios were measured: what may change them without any change of ours."""

    cpu: str
    python: str
    torch: str
    numpy: str

    def unlike(self, stored: Machine) -> str:
        """What differs from the machine of a baseline, as a sentence's end; empty if nothing does."""
        ours, theirs = self.model_dump(), stored.model_dump()
        return ", ".join(
            f"{name} is {ours[name]}, stored {theirs[name]}"
            for name in ours
            if ours[name] != theirs[name]
        )


class Ratio(Frozen):
    """What a bench costs: so many calibration loops of a kind."""

    kind: str
    ratio: float = Field(gt=0)


class Baseline(Frozen):
    """The stored ratios, by the bench's node id, and where they are from."""

    machine: Machine
    runs: int = Field(ge=1)
    benches: dict[str, Ratio]

    @classmethod
    def read(cls, file: Path) -> Baseline:
        """The baseline of a file."""
        return cls.model_validate_json(file.read_text(encoding="utf-8"))

    @classmethod
    def of_runs(cls, machine: Machine, runs: Sequence[Mapping[str, Ratio]]) -> Baseline:
        """The median ratio of each bench over runs, of those that are in the last."""
        found = {
            name: Ratio(kind=last.kind, ratio=round(median(of_kind(runs, name, last.kind)), 4))
            for name, last in sorted(runs[-1].items())
        }
        return cls(machine=machine, runs=len(runs), benches=found)

    def write(self, file: Path) -> None:
        """The baseline as JSON, a bench a line, so that a change of one is a change of a line."""
        lines = ",\n".join(
            f"    {json.dumps(name)}: {json.dumps(each.model_dump())}"
            for name, each in self.benches.items()
        )
        head = f'"machine": {self.machine.model_dump_json()},\n  "runs": {self.runs}'
        file.write_text(f'{{\n  {head},\n  "benches": {{\n{lines}\n  }}\n}}\n', encoding="utf-8")

    def without_bench(self, benches: Iterable[str]) -> list[str]:
        """Names that are stored, of files with a bench among `benches`, but of no bench."""
        there = frozenset(benches)
        files = {name.partition("::")[0] for name in there}
        return [name for name in self.benches if name.partition("::")[0] in files and name not in there]


def of_kind(runs: Iterable[Mapping[str, Ratio]], name: str, kind: str) -> list[float]:
    """The ratios of a bench in all runs that measured it by the same kind of loop."""
    return [run[name].ratio for run in runs if name in run and run[name].kind == kind]


@dataclass(frozen=True)
class Compared:
    """A bench beside its stored ratio.

    Attributes:
        bench: its node id.
        stored, found: ratios by the same kind of loop.
        unlike: what the machine of the baseline had that this one has not; empty if nothing.
    """

    bench: str
    stored: Ratio
    found: float
    unlike: str = ""

    @property
    def times(self) -> float:
        """How many times what is stored it costs."""
        return self.found / self.stored.ratio

    @property
    def fault(self) -> str | None:
        """Why the bench fails; None if it does not."""
        if self.times <= LIMIT:
            return None
        where = f"; the baseline is of another machine: {self.unlike}" if self.unlike else ""
        return (
            f"{self.bench} costs {self.times:.2f} times what is stored: {self.found:.4g} loops of "
            f"'{self.stored.kind}', stored {self.stored.ratio:.4g}, at most {LIMIT:g} times as many "
            f"expected{where}; if it is meant: {STORE}"
        )


def unknown(bench: str, kind: str, stored: Ratio | None) -> str | None:
    """Why a bench cannot be compared; None if it can."""
    if stored is None:
        return f"{bench} has no stored ratio; store it: {STORE}"
    if stored.kind != kind:
        return (
            f"{bench} is measured in loops of '{kind}', and its stored ratio in loops of "
            f"'{stored.kind}'; store it anew: {STORE}"
        )
    return None


def smallest(
    found: float, enough: float, again: Callable[[], float], rest: Callable[[float], None]
) -> float:
    """The smallest ratio of `found` and of a few measured again, as many as it takes to be `enough`."""
    for seconds in RESTS:
        if found <= enough:
            break
        rest(seconds)
        found = min(found, again())
    return found


def closing(compared: Sequence[Compared]) -> list[str]:
    """The lines that a run of benches ends with: how many, the largest, and those that are faster."""
    if not compared:
        return ["no bench was compared with the baseline"]
    largest = max(compared, key=lambda each: each.times)
    lines = [
        f"{len(compared)} benches compared with the baseline; the largest costs {largest.times:.2f} "
        f"times what is stored: {largest.bench}"
    ]
    lines += [
        f"faster than stored ({each.times:.2f} times); update the baseline: {each.bench}"
        for each in compared
        if each.times < 1 / LIMIT
    ]
    return lines + [f"another machine than the baseline's: {each}" for each in {largest.unlike} if each]
