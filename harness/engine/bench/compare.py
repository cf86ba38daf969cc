"""How far a back end is from eager, on clips of the test split, before it is timed."""

from __future__ import annotations

from dataclasses import replace

import torch

from harness.contracts import Unsupported
from harness.engine.advice import cat_outputs
from harness.engine.assembly import visible
from harness.engine.bench.loaded import Loaded
from harness.engine.evaluation import evaluate
from harness.engine.trial import dtype_of
from harness.registry import BACKENDS
from harness.spec import Deviation, TrialSpec
from harness.types import Batch, Outputs


@torch.inference_mode()
def deviation(loaded: Loaded, clips: Batch, batch: int) -> Deviation:
    """The largest difference of the first output, and both sides' primary metric.

    Args:
        loaded: a row that is not eager.
        clips: as the data set has them.
        batch: clips a call.

    Raises:
        Unsupported: the back end gives what is not finite, or is further from eager than it is to be.
    """
    spec = loaded.entrant.spec
    seen = visible(spec, loaded.model, clips)
    eager, found = _answers(loaded, seen, batch)
    difference = (found.first() - eager.first()).abs()
    if not bool(difference.isfinite().all()):
        raise Unsupported("gives numbers that are not finite")
    largest = float(difference.max())
    tolerance = BACKENDS.configure(loaded.entrant.backend).tolerance
    if largest > tolerance:
        raise Unsupported(
            f"is {largest:.3g} from eager on one of {len(seen)} clips, {tolerance:g} at most asked for"
        )
    metric = primary(spec)
    values = [evaluate(seen, outputs, spec.protocol).metrics[metric] for outputs in (eager, found)]
    return Deviation(clips=len(seen), largest=largest, metric=metric, eager=values[0], found=values[1])


def primary(spec: TrialSpec) -> str:
    """The metric that stands for the quality of the trial's model."""
    return spec.task.teachers_primary if spec.role == "teacher" else spec.task.primary


def _answers(loaded: Loaded, clips: Batch, size: int) -> tuple[Outputs, Outputs]:
    eager, found = [], []
    dtype = dtype_of(loaded.entrant.spec.precision)
    for rows in torch.arange(len(clips)).split(size):
        batch = clips.take(rows).to(loaded.fabric.device, dtype)
        with loaded.fabric.autocast():
            eager.append(_on_cpu(loaded.model(batch)))
        found.append(_on_cpu(loaded.says(batch)))
    return cat_outputs(eager), cat_outputs(found)


def _on_cpu(outputs: Outputs) -> Outputs:
    return replace(outputs, hidden=None).to(torch.device("cpu"))
