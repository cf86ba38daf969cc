"""A teacher and the student it advises, as orders for any launcher, and the numbers they leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from launching import ends, order
from trials import TEACHER, spec

from harness.engine.advice import ADVICE_FILE
from harness.spec import LossTerm, Runtime, VariantRef
from harness.store import Outbox
from harness.study.launch.base import Ended, Launcher

RUNTIME = Runtime(threads=1, latency_seconds=0.01)
ADVISED = {"task_l1": LossTerm(), "step2": LossTerm()}


def numbers(out: Path, launcher: Launcher) -> list[Any]:
    """Everything of both trials that does not depend on the clock, as two files would hold it."""
    outbox = Outbox(out / "outbox")
    teacher = spec("teacher", model=VariantRef(**TEACHER))
    student = spec("student", losses=ADVISED, teacher=teacher)
    found: list[Any] = []
    for name, what in (("teacher", teacher), ("student", student)):
        advice = tuple(outbox.artifact("teacher", ADVICE_FILE) for _ in what.advisers())
        given = order(out, name, "study", spec=what, runtime=RUNTIME, advice=advice)
        last = ends(launcher, [given])[-1]
        assert isinstance(last, Ended), last
        result, predictions = outbox.result(name), outbox.predictions(name)
        assert result is not None
        assert result.state == "complete", result.failure
        assert predictions is not None
        made = result.environment
        found += [result.metrics, result.epochs, predictions.to_csv(), made.threads, made.code_revision]
        found += [made.versions, sorted(outbox.files(name))]
    assert list(out.glob("work/*/*")) == []
    return found
