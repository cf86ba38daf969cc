"""What came of a search's choices when they were trained again under fresh seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.spec import SearchStudy
from harness.spec.leaders import objective_value
from reports.statistics import SeedSummary, seed_summary

if TYPE_CHECKING:
    from reports.collect import Records


@dataclass(frozen=True)
class Rerun:
    """A row of the table, the trial of a search that it stands for, and its objectives over seeds.

    The values are of validation, as the search's are, so that both can stand in one picture.
    """

    arm: str
    searched: str
    number: int
    values: tuple[SeedSummary, ...]


def reruns(records: Records) -> tuple[Rerun, ...]:
    """The choices in the order of the plan; `n` of a value is 0 when no seed has given it yet."""
    study = records.plan.study
    if not isinstance(study, SearchStudy):
        return ()
    found = []
    for arm, choice in records.plan.chosen.items():
        results = [result for _, result in records.complete(arm)]
        values = (
            [objective_value(result, name) for result in results] for name in study.search.objective
        )
        summaries = tuple(seed_summary(one for one in each if one is not None) for each in values)
        found.append(Rerun(arm, choice.arm, choice.number, summaries))
    return tuple(found)
