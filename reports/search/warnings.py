"""What makes searches weaker than they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from harness.spec import Plan, SearchSettings, SearchStudy
from reports.search.best import best
from reports.search.tries import Try, of_arm, proposed, searched_arms, states

if TYPE_CHECKING:
    from reports.collect import Records


def search_warnings(records: Records) -> tuple[str, ...]:
    """What makes the searches weaker than they look."""
    plan, tries = records.plan, records.tries
    if not isinstance(plan.study, SearchStudy):
        return ()
    search = plan.study.search
    return (
        *_unfinished(plan),
        *_unequal(plan.study, tries),
        *_without_choice(plan, plan.study, tries),
        *_overtaken(plan, tries, search),
        *_on_test(tries),
        *_incomparable(tries, search),
    )


def _unfinished(plan: Plan) -> Iterator[str]:
    if plan.is_open:
        yield "the study is not finished: its searches will bring more trials and rows."


def _unequal(study: SearchStudy, tries: tuple[Try, ...]) -> Iterator[str]:
    finished = {
        arm: sum(one.state != "missing" for one in of_arm(tries, arm)) for arm in searched_arms(study)
    }
    if len(set(finished.values())) > 1:
        said = ", ".join(f"{arm} {count}" for arm, count in finished.items())
        yield f"tuning budgets are not equal, finished trials of each search: {said}."


def _without_choice(plan: Plan, study: SearchStudy, tries: tuple[Try, ...]) -> Iterator[str]:
    for arm in searched_arms(study):
        if arm in {choice.arm for choice in plan.chosen.values()}:
            continue
        own = of_arm(tries, arm)
        reasons = dict.fromkeys(one.failure for one in own if one.failure)
        over = proposed(own) >= study.search.trials and not states(own)["missing"]
        why = "none of its trials gave a value" if over else "its search goes on"
        failed = f" Failed with: {'; '.join(reasons)}." if reasons else ""
        yield f"{arm} has no row: nothing is chosen for it, {why}.{failed}"


def _overtaken(plan: Plan, tries: tuple[Try, ...], search: SearchSettings) -> Iterator[str]:
    """Choices that the store, as it is now, does not bear out."""
    for arm, choice in plan.chosen.items():
        leading = [one.number for one in best(of_arm(tries, choice.arm), search)]
        if choice.number not in leading:
            others = ", ".join(f"#{number}" for number in leading) or "none"
            yield (
                f"{arm} is trial #{choice.number} of its search, and by the records in this store "
                f"{others} should have been chosen."
            )


def _on_test(tries: Iterable[Try]) -> Iterator[str]:
    seen = [f"{one.arm} #{one.number}" for one in tries if one.sees_test]
    if seen:
        yield f"SEARCHED ON TEST: trials of searches were evaluated on test clips ({', '.join(seen)})."


def _incomparable(tries: Iterable[Try], search: SearchSettings) -> Iterator[str]:
    conditions = sorted({one.latency for one in tries if one.latency})
    if "latency_ms" in search.objective and len(conditions) > 1:
        yield (
            "latencies of search trials were measured under different conditions and do not compare: "
            f"{'; '.join(conditions)}."
        )
