"""The gate of the micro-benchmarks: what each costs in calibration loops, beside what it did cost.

A ratio is a bench's time over that of its calibration loop, so that it is the same on a faster machine.
Nearly: processors differ in what they are good at, so that a bench has a stored ratio for each kind of
them that somebody stored it on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

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
        """What differs from a machine of the baseline, as a sentence's end; empty if nothing does."""
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


class Stored(Frozen):
    """What a bench did cost: calibration loops of a kind, by the processor that they were stored on."""

    kind: str
    ratios: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=1)

    def on(self, cpu: str) -> Ratio:
        """On that processor, or, where nobody stored it, the largest on any."""
        return Ratio(kind=self.kind, ratio=self.ratios.get(cpu) or max(self.ratios.values()))


class Baseline(Frozen):
    """The stored ratios, by the bench's node id, and the machines that they are from."""

    machines: tuple[Machine, ...]
    """One of a kind of processor."""

    benches: dict[str, Stored]

    @classmethod
    def read(cls, file: Path) -> Baseline:
        """The baseline of a file."""
        return cls.model_validate_json(file.read_text(encoding="utf-8"))

    def stored_anew(self, machine: Machine, runs: Sequence[Mapping[str, Ratio]]) -> Baseline:
        """With the median ratio of each bench over runs on a machine, of those that are in the last.

        What was stored on other processors stays, by the same kind of loop.
        """
        machines = {each.cpu: each for each in (*self.machines, machine)}
        benches = {}
        for name, last in sorted(runs[-1].items()):
            before = self.benches.get(name)
            kept = before.ratios if before is not None and before.kind == last.kind else {}
            ours = round(median(of_kind(runs, name, last.kind)), 4)
            benches[name] = Stored(kind=last.kind, ratios={**kept, machine.cpu: ours})
        return Baseline(machines=tuple(machines.values()), benches=benches)

    def unlike(self, here: Machine) -> str:
        """What a machine has that none of the baseline had, as a sentence's end; empty if nothing."""
        alike = [each for each in self.machines if each.cpu == here.cpu]
        if alike:
            return here.unlike(alike[0])
        stored = " and ".join(each.cpu for each in self.machines)
        return f"cpu is {here.cpu}, stored {stored}, of which the larger counts"

    def write(self, file: Path) -> None:
        """The baseline as JSON, a bench a line, so that a change of one is a change of a line."""
        lines = ",\n".join(
            f"    {json.dumps(name)}: {json.dumps(each.model_dump())}"
            for name, each in self.benches.items()
        )
        machines = ",\n".join(f"    {each.model_dump_json()}" for each in self.machines)
        file.write_text(
            f'{{\n  "machines": [\n{machines}\n  ],\n  "benches": {{\n{lines}\n  }}\n}}\n',
            encoding="utf-8",
        )

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
        unlike: what this machine has that those of the baseline had not; empty if nothing.
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


def unknown(bench: str, kind: str, stored: Stored | None) -> str | None:
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
