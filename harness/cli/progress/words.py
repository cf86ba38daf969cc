"""The lines that a live view and a plain one have in common."""

from __future__ import annotations

from collections import Counter

from harness.cli.durations import duration
from harness.cli.progress.state import Best, Running, Status, StudyState, quality
from harness.spec import METRICS, TrialResult
from harness.store.claims import Owner


def measured(name: str, value: float) -> str:
    """A number after its name, such as ``val MAE 0.532``; parameters in millions."""
    metric = METRICS[name.removeprefix("val/")]
    split = "val " if name.startswith("val/") else ""
    number = value / 1e6 if metric.unit == "M" else value
    return f"{split}{metric.label} {number:.{metric.digits}f}{metric.unit and ' ' + metric.unit}"


def opening(state: StudyState) -> str:
    """What there is to do."""
    more = " so far" if state.is_open else ""
    given_up = f" and {state.given_up_before} given up" if state.given_up_before else ""
    return f"{state.name}: {state.total} trials{more}, {state.already} already complete{given_up}"


def outcome(label: str, result: TrialResult) -> str:
    """How a trial ended."""
    epochs = f"{len(result.epochs)} epoch{'' if len(result.epochs) == 1 else 's'}"
    took = duration(sum(result.seconds.values()))
    if result.failure is not None:
        return f"{label}: FAILED: {result.failure.message}"
    if result.state == "pruned":
        return f"{label}: given up after {epochs}, {took}"
    metric = quality(result.spec)
    number = result.metrics.get(metric)
    best = "" if result.best_epoch is None else f", best {result.best_epoch}"
    value = "" if number is None else f", {measured(metric, number)}"
    return f"{label}: {epochs}{best}, {took}{value}"


def place(state: StudyState) -> str:
    """How many ended of how many: ``[12/30]``, or ``[12/16+]`` while a search may bring more."""
    return f"[{state.done}/{state.total}{'+' if state.is_open else ''}]"


def tally(state: StudyState) -> str:
    """How many trials are in which state; what there is none of is left out, but for the complete."""
    kinds: tuple[Status, ...] = ("failed", "pruned", "running", "waiting")
    counts = [f"{state.count('complete')} complete"]
    counts += [f"{state.count(kind)} {kind}" for kind in kinds if state.count(kind)]
    return ", ".join(counts)


def time_left(state: StudyState) -> str:
    """How long it may take yet."""
    seconds = state.remaining_seconds()
    if seconds is None:
        return "? left"
    return f"{'at least' if state.is_open else 'about'} {duration(seconds)} left"


def at(running: Running) -> str:
    """Where a trial is that runs here."""
    if running.epoch is None:
        return "starting"
    value = "" if running.value is None else f", {measured(running.metric, running.value)}"
    return f"epoch {running.epoch}{value}"


def best_lines(state: StudyState) -> list[str]:
    """The best so far, a line each; trials from before this run, or of others, are not known here."""
    are_all = not state.already and state.count("complete") <= state.known
    return [_best(best, "so far" if are_all else "of this run") for best in state.bests()]


def others(state: StudyState) -> str:
    """What other runners have claimed, by machine; empty when they have nothing."""
    if not state.others:
        return ""
    hosts = Counter(machine(claim.owner) for claim in state.others.values())
    where = ", ".join(f"{host} ({count})" for host, count in sorted(hosts.items()))
    trials = "1 trial" if len(state.others) == 1 else f"{len(state.others)} trials"
    return f"{trials} with other runners: {where}"


def machine(owner: Owner) -> str:
    """The host's name alone: what tells its boots apart says nothing to people."""
    return owner.host.partition("#")[0]


def buffered(state: StudyState) -> str:
    """What the store has not taken, and why; empty when all is well."""
    if not state.waiting_for_store:
        return state.fault
    count = state.waiting_for_store
    results = "1 result waits" if count == 1 else f"{count} results wait"
    return f"{results} for the store{state.fault and ': ' + state.fault}"


def _best(best: Best, since: str) -> str:
    if len(best.objectives) > 1:
        points = "1 point" if best.front == 1 else f"{best.front} points"
        return f"front {since}: {best.label}, {points}"
    return f"best {since}: {best.label}, {measured(best.objectives[0], best.values[0])}"
