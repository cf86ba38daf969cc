"""Whether Optuna's history and the result store say the same of every trial."""

from __future__ import annotations

from collections import defaultdict

from optuna.trial import FrozenTrial, TrialState

from harness.spec import Plan, SearchStudy, SearchTrial, TrialResult
from harness.spec.leaders import objective_values
from harness.store import ResultStore
from harness.study.search.history import History

Value = tuple[float, ...] | None


def disagreements(plan: Plan, store: ResultStore, history: History) -> tuple[str, ...]:
    """A line for every trial of a search that the two do not tell alike: state, values, parameters.

    A trial of a round that has not ended is nothing that Optuna has to know.

    Raises:
        StoreFault: one of the two cannot be read.
    """
    if not isinstance(plan.study, SearchStudy):
        return ()
    arms: dict[str, list[SearchTrial]] = defaultdict(list)
    for trial in plan.searches:
        arms[trial.arm].append(trial)
    lines: list[str] = []
    for arm, trials in arms.items():
        told = history.of(f"{plan.study.name}/{arm}")
        own = _of_arm(plan.study, trials, store, told)
        if own and not told:
            own = [f"{arm}: {history.where} has none of its trials; the next run here writes them"]
        lines += own
    return tuple(lines)


def _of_arm(
    study: SearchStudy, trials: list[SearchTrial], store: ResultStore, told: tuple[FrozenTrial, ...]
) -> list[str]:
    results = {trial.number: store.get(trial.trial_id) for trial in trials}
    rounds: dict[int, list[int]] = defaultdict(list)
    for number in results:
        rounds[number // study.search.at_once].append(number)
    lines = []
    for trial in trials:
        mates = rounds[trial.number // study.search.at_once]
        has_ended = all(results[number] for number in mates)
        record = told[trial.number] if trial.number < len(told) else None
        difference = _difference(study, trial, results[trial.number], record, has_ended)
        if difference:
            lines.append(f"{trial.arm} #{trial.number} ({trial.trial_id}): {difference}")
    return lines


def _difference(
    study: SearchStudy,
    trial: SearchTrial,
    result: TrialResult | None,
    record: FrozenTrial | None,
    has_ended: bool,
) -> str:
    if record is None:
        return "Optuna does not have it, and its round has ended" if has_ended else ""
    if record.params != trial.params or record.user_attrs["trial_id"] != trial.trial_id:
        return f"Optuna has {record.params}, the plan {trial.params}"
    if result is None:
        return f"Optuna has it as {record.state.name.lower()}, the result store does not have it"
    there, here = _optunas(record), _stores(result, study.search.objective)
    return "" if there == here else f"Optuna has {_shown(there)}, the result store {_shown(here)}"


def _optunas(record: FrozenTrial) -> tuple[str, Value]:
    state = "failed" if record.state == TrialState.FAIL else record.state.name.lower()
    return state, tuple(record.values) if record.state == TrialState.COMPLETE else None


def _stores(result: TrialResult, objective: tuple[str, ...]) -> tuple[str, Value]:
    values = objective_values(result, objective)
    if result.state == "complete" and values is None:
        return "failed", None
    return result.state, values


def _shown(told: tuple[str, Value]) -> str:
    state, values = told
    return state if values is None else f"{state} with {', '.join(map(str, values))}"
