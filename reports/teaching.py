"""How arms were taught: what a reader must know of teachers, labels and the kept epoch."""

from __future__ import annotations

from collections.abc import Iterator

from harness.spec import TrialSpec
from reports.collect import Records
from reports.grouping import grouped, spec_by_arm

_CONTROLS = {
    "shuffled": "is advised by its teacher's outputs for other clips, permuted at random (control)",
    "untrained": "is advised by its teacher as it was initialised (control)",
    "constant": "is told its teacher's mean output for every clip (control)",
    "label_echo": "is told the labels again in its teacher's place (control)",
}


def teaching(records: Records) -> tuple[str, ...]:
    """A note for every way of teaching that is not the plain one, with the arms it is true of."""
    said = grouped((arm, note) for arm, spec in spec_by_arm(records).items() for note in _of(spec))
    return tuple(f"{', '.join(arms)}: {note}." for note, arms in said.items())


def _of(spec: TrialSpec) -> Iterator[str]:
    if spec.control != "none":
        yield _CONTROLS[spec.control]
    if spec.schedule == "joint":
        yield "teacher and student are trained in one loop; the student's validation selects the epoch"
    if spec.folds > 1 and spec.teacher is not None:
        yield (
            f"advised by {spec.folds} teachers, each on the videos that it did not learn from; they "
            f"cost {spec.folds} trainings"
        )
    for owner, one in (("", spec), ("its teacher: ", spec.teacher)):
        if one is not None:
            yield from (f"{owner}{note}" for note in _own(one))


def _own(spec: TrialSpec) -> Iterator[str]:
    if spec.labelled_fraction < 1:
        rest = "the teacher's advice on all" if spec.teacher else "no use of the others"
        yield f"labels of {100 * spec.labelled_fraction:g}% of the training clips, {rest}"
    if spec.missing is not None:
        what = "modality dropout" if spec.missing.kind == "random" else "dropout of single steps"
        yield f"{what} {spec.missing.rate:g} of {', '.join(spec.missing.modalities)} in training"
    if spec.optimisation.select == "last":
        yield "no early stopping: the last epoch's weights are kept"
    rising = [name for name, term in spec.losses.items() if term.warmup_epochs]
    for name in rising:
        yield f"the weight of {name} rises over {spec.losses[name].warmup_epochs:g} epochs"
