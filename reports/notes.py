"""What stands below a table: everything that a reader must know of its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.spec import METRICS, TrialSpec
from reports.collect import Records
from reports.fairness import fairness
from reports.grouping import about, grouped, reference_of, spec_by_arm
from reports.latency import twins
from reports.layout import Layout
from reports.machines import latency_conditions, machines, origins
from reports.ranking import ranking_notes
from reports.robustness.words import robustness_notes
from reports.search.notes import search_notes
from reports.teaching import teaching


def notes(records: Records, layout: Layout, reference: str | None) -> tuple[str, ...]:
    """The footnotes, in the order in which they are printed."""
    # A search that has not chosen yet has trials, but no row.
    specs = [seen.spec for seen in records.observations] or [*records.plan.trials.values()]
    return (
        f"Protocol {_listed(spec.protocol for spec in specs)}; split {layout.split}: "
        f"{_sizes(records, layout.split)}.",
        f"Each trial reports its epoch with the best {_monitors(records, specs)}, chosen on validation "
        f"clips only; {layout.split} clips decide nothing.",
        f"Seeds {', '.join(map(str, records.plan.study.seeds))}. A cell is mean ± sample sd over the "
        "seeds that are complete (column n); one seed has no sd. Bold is the best mean among arms "
        "whose seeds are all complete.",
        *_difference_note(records, layout, reference),
        *(f"{METRICS[name].label}: {METRICS[name].definition}." for name in _metric_names(layout)),
        *ranking_notes(records, layout.split),
        *_shared_latency(records),
        *_origin(records),
        *_budgets(records),
        *fairness(records, text_only=layout.text_only),
        *search_notes(records),
        *teaching(records),
        *robustness_notes(records, layout),
        *_naming(records, layout),
        *_said_by_trials(records),
    )


def _monitors(records: Records, specs: Sequence[TrialSpec]) -> str:
    """What selects epochs; where it is not the same everywhere, whose."""
    by_monitor = grouped((arm, spec.monitor) for arm, spec in spec_by_arm(records).items())
    if len(by_monitor) < 2:
        return _listed(spec.monitor for spec in specs)
    *few, most = sorted(by_monitor, key=lambda monitor: len(by_monitor[monitor]))
    named = [f"{monitor} ({', '.join(by_monitor[monitor])})" for monitor in few]
    return f"{', '.join(named)} or {most} (the others)"


def _shared_latency(records: Records) -> tuple[str, ...]:
    """The arms that show one latency, because they are one model in use."""
    found = "; ".join(", ".join(arms) for arms in twins(records))
    if not found:
        return ()
    return (
        f"Arms of the same model in use share its latency, the median over the calls of all their "
        f"trials of a seed: {found}.",
    )


def _budgets(records: Records) -> tuple[str, ...]:
    """What every arm may spend on training, or loudly who may spend what."""
    specs = spec_by_arm(records)
    tuned = {
        arm: frozenset({f"{spec.role}.optimisation.batch_size"})
        for arm, spec in specs.items()
        if arm in records.plan.tuning
    }
    tuned |= {arm: frozenset(choice.params) for arm, choice in records.plan.chosen.items()}
    nothing: frozenset[str] = frozenset()
    trained = {arm: spec for arm, spec in specs.items() if spec.losses}
    by_budget = grouped((arm, _budget(spec, tuned.get(arm, nothing))) for arm, spec in trained.items())
    teachers = {
        _budget(spec.teacher, tuned.get(arm, nothing)) for arm, spec in specs.items() if spec.teacher
    }
    above = (
        f" Arms that learn from a teacher also cost its training ({_listed(teachers)})."
        if teachers
        else ""
    )
    fitted = [arm for arm in specs if arm not in trained]
    apart = (
        f"{', '.join(fitted)}: without epochs; what they learn is from all training clips at once.",
    )
    return (*_trained_budgets(by_budget, trained, above), *(apart if fitted else ()))


def _trained_budgets(
    by_budget: dict[str, list[str]], specs: dict[str, TrialSpec], above: str
) -> tuple[str, ...]:
    if not by_budget:
        return ()
    if len(by_budget) == 1:
        return (f"Every arm has the same budget: {_listed(by_budget)}.{above}",)
    return (f"BUDGETS DIFFER: {'; '.join(about(by_budget, specs))}.{above}",)


def _difference_note(records: Records, layout: Layout, reference: str | None) -> tuple[str, ...]:
    if reference is None:
        return ()
    drawn, metric = layout.bootstrap, METRICS[layout.compared]
    compared = {reference_of(records, arm, reference) for arm in records.arms}
    others = ", or minus the arm that its cell names," if compared - {None, reference} else ""
    better = "negative" if metric.direction == "lower" else "positive"
    # A query's AP depends on all clips that it is ranked against, and those are not drawn anew.
    held = "seeds held fixed" if metric.name == "mae" else "seeds and what is searched held fixed"
    return (
        f"Δ {metric.label} is arm minus {reference}{others} on the same clips, averaged over the seeds "
        f"both have; {better} is better. ± is the sd of that difference over seeds. In brackets a "
        f"paired {100 * drawn.confidence:g}% bootstrap interval (BCa unless said otherwise, "
        f"{drawn.resamples} resamples of whole source videos, {held}): what other videos would change.",
    )


def _metric_names(layout: Layout) -> tuple[str, ...]:
    return tuple(column.metric for column in layout.columns)


def _sizes(records: Records, split: str) -> str:
    """``800 clips of 40 videos``, of every test set that the arms were measured on.

    Files without ids do not say which clips are of one video: each is then a group of its own.
    """
    sizes, tested = set(), set()
    for seen in records.observations:
        if seen.predictions is not None:
            clips = seen.predictions[seen.predictions["split"] == split]
            known = bool((clips["video_id"] != clips["id"]).any())
            sizes.add((len(clips), clips["video_id"].nunique() if known else 0))
            tested.add((seen.seed, frozenset(clips["id"])))
    said = " or ".join(
        f"{clips} clips of {videos} videos"
        if videos
        else f"{clips} clips, each taken for a video of its own"
        for clips, videos in sorted(sizes)
    )
    folds = len({clips for _, clips in tested}) > 1 and len(tested) == len({seed for seed, _ in tested})
    apart = "; the seeds are folds, each with clips of its own" if folds else ""
    return f"{said}{apart}" if said else "no clips"


def _origin(records: Records) -> tuple[str, ...]:
    found = origins(records)
    return (
        f"Data {_listed(found['data fingerprint']) or 'unknown'}; "
        f"code {_listed(found['code revision']) or 'unknown'}.",
        f"Made on: {'; '.join(sorted(machines(records))) or 'unknown'}.",
        f"Latency conditions: {'; '.join(sorted(latency_conditions(records))) or 'not measured'}.",
    )


def _naming(records: Records, layout: Layout) -> tuple[str, ...]:
    specs = spec_by_arm(records)
    found = []
    for naming in layout.naming:
        arms = [arm for arm, spec in specs.items() if naming.arms.fits(spec)]
        if arms:
            found.append(f"{', '.join(arms)}: {naming.text}.")
    return tuple(found)


def _said_by_trials(records: Records) -> tuple[str, ...]:
    said = grouped(
        (seen.arm, note)
        for seen in records.observations
        if seen.result is not None
        for note in seen.result.notes
    )
    return tuple(f"{', '.join(arms)}: {note.rstrip('.')}." for note, arms in said.items())


def _budget(spec: TrialSpec, tuned: frozenset[str]) -> str:
    given = spec.optimisation
    # A batch size that a search has chosen, here or for a preset, is a result, and no other budget.
    batch = "as tuning chose" if f"{spec.role}.optimisation.batch_size" in tuned else given.batch_size
    return f"at most {given.max_epochs} epochs, patience {given.patience}, batch {batch}"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))
