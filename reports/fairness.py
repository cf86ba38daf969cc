"""What a reader needs to judge whether a comparison is fair: tuning, epochs, sizes, what arms read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import mean, median
from typing import TYPE_CHECKING

from harness.spec import Tuning
from reports.grouping import about, grouped, spec_by_arm
from reports.readers import modalities_of

if TYPE_CHECKING:
    from reports.collect import Records

UNKNOWN = "not recorded"


def fairness(records: Records, *, text_only: bool = True) -> tuple[str, ...]:
    """The fairness record of a table, in footnotes; empty while there is no arm.

    Args:
        records: The study's records.
        text_only: Whether a control that reads text alone is to be spoken of.
    """
    if not records.arms:
        return ()
    control = (_control(records),) if text_only else ()
    return (
        *_tuning(records),
        *_epochs(records),
        *_parameters(records),
        *_reads(records),
        *control,
    )


def _tuning(records: Records) -> Iterator[str]:
    spent = [(arm, _trials(records, arm)) for arm in records.arms]
    by_spent = grouped(spent)
    if len(by_spent) > 1:
        said = "; ".join(f"{value} ({', '.join(arms)})" for value, arms in by_spent.items())
        yield f"TUNING DIFFERS: search trials behind the values of the arms: {said}."
    found = grouped(
        (arm, _origin(count, _file(records, arm), searched=arm in records.plan.chosen))
        for arm, count in spent
    )
    for words, arms in found.items():
        yield f"Tuning of {'every arm' if len(found) == 1 else ', '.join(arms)}: {words}."


def _trials(records: Records, arm: str) -> str:
    """How many search trials the arm's values have cost."""
    own, file = _searched(records, arm), _file(records, arm)
    if file is not None and file.trials is None:
        return f"{own} and a number that is not known" if own else "not known"
    count = own + (file.trials or 0 if file is not None else 0)
    return str(count) if count else "none"


def _file(records: Records, arm: str) -> Tuning | None:
    """Of a row that a search has chosen, that of the arm that was searched."""
    choice = records.plan.chosen.get(arm)
    return records.plan.tuning.get(choice.arm if choice is not None else arm)


def _searched(records: Records, arm: str) -> int:
    choice = records.plan.chosen.get(arm)
    return sum(choice is not None and one.arm == choice.arm for one in records.plan.searches)


def _origin(count: str, file: Tuning | None, *, searched: bool) -> str:
    said = []
    if searched:
        said.append(f"a search of its own in this study ({count} trials in all)")
    if file is not None:
        trials = "search trials not known" if file.trials is None else f"{file.trials} search trials"
        said.append(f"its model's values for {file.data}: {trials}; {file.source.rstrip('.')}")
    return ", over ".join(said) or "untuned, values of the study file and defaults of the code"


def _epochs(records: Records) -> Iterator[str]:
    ran = {arm: [len(result.epochs) for _, result in records.complete(arm)] for arm in records.arms}
    allowed = grouped(
        (arm, str(spec.optimisation.max_epochs))
        for arm, spec in spec_by_arm(records).items()
        if spec.losses
    )
    for bound, arms in allowed.items():
        said = grouped((arm, _range(ran[arm], int(bound))) for arm in arms)
        listed = "; ".join(f"{value} ({', '.join(group)})" for value, group in said.items())
        words = next(iter(said)) if len(allowed) == len(said) == 1 else listed
        yield f"Epochs trained, of at most {bound}: {words}."


def _range(counts: list[int], bound: int) -> str:
    """``10–14, median 12``."""
    if not counts or (bound and not min(counts)):
        return UNKNOWN
    if min(counts) == max(counts):
        return str(counts[0])
    return f"{min(counts)}–{max(counts)}, median {median(counts):g}"


def _parameters(records: Records) -> Iterator[str]:
    sizes = {
        arm: mean(counts)
        for arm in records.arms
        if (counts := [one.efficiency.parameters for _, one in records.complete(arm) if one.efficiency])
    }
    if len(sizes) < 2:
        return
    least, most = min(sizes, key=lambda arm: sizes[arm]), max(sizes, key=lambda arm: sizes[arm])
    few, many = _millions(sizes[least]), _millions(sizes[most])
    if sizes[least] == sizes[most]:
        yield f"Parameters: {many} in every arm that has a result."
    else:
        yield f"Parameters: from {few} ({least}) to {many} ({most})."


def _millions(count: float) -> str:
    return f"{count / 1e6:.3f} M"


def _reads(records: Records) -> Iterator[str]:
    read = {arm: modalities_of(records, arm) for arm in records.arms}
    found = grouped((arm, ", ".join(own) or UNKNOWN) for arm, own in read.items())
    yield f"Modalities read: {_shared(found, records.arms)}."
    features = grouped(
        (arm, result.features.rstrip(".") or UNKNOWN)
        for arm in records.arms
        for _, result in records.complete(arm)
    )
    yield f"Features: {_shared(features, records.arms) or UNKNOWN}."


def _shared(found: dict[str, list[str]], arms: Iterable[str]) -> str:
    """The value that all share, or each with its arms."""
    return next(iter(found)) if len(found) == 1 else "; ".join(about(found, arms))


def _control(records: Records) -> str:
    read = {arm: modalities_of(records, arm) for arm in records.arms}
    text = [arm for arm, own in read.items() if own == ("text",)]
    alone = [arm for arm in text if records.of(arm)[0].spec.teacher is None]
    more = [arm for arm, own in read.items() if own and own != ("text",)]
    if alone:
        return f"Text-only control: {', '.join(alone)}."
    if more:
        return (
            f"NO TEXT-ONLY CONTROL: {', '.join(more)} read more than text, and no arm reads text alone "
            "without a teacher."
        )
    return f"Text-only control: {'every arm that reads text alone has a teacher' if text else UNKNOWN}."
