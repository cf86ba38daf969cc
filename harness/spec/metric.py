"""The metrics: what each is called, which way is better, in which unit, under which protocol."""

from __future__ import annotations

from typing import Literal

from harness.spec.base import Frozen


class MetricSpec(Frozen):
    """What a reader must know of a number before he reads it."""

    name: str
    label: str
    direction: Literal["lower", "higher"]
    unit: str = ""
    digits: int = 3
    definition: str

    @property
    def arrow(self) -> str:
        """The direction as table headers show it."""
        return "↓" if self.direction == "lower" else "↑"


def _metric(
    name: str, label: str, direction: Literal["lower", "higher"], definition: str, **more: object
) -> MetricSpec:
    return MetricSpec.model_validate(
        {"name": name, "label": label, "direction": direction, "definition": definition, **more}
    )


METRICS: dict[str, MetricSpec] = {
    metric.name: metric
    for metric in (
        _metric("mae", "MAE", "lower", "mean absolute error, predictions not clipped"),
        _metric("corr", "Corr", "higher", "Pearson correlation, predictions not clipped"),
        _metric("acc2_has0", "Acc-2 has0", "higher", "negative against non-negative, all clips"),
        _metric("f1_has0", "F1 has0", "higher", "support-weighted F1 of Acc-2 has0"),
        _metric("acc2_non0", "Acc-2 non0", "higher", "negative against positive, labels of 0 dropped"),
        _metric("f1_non0", "F1 non0", "higher", "support-weighted F1 of Acc-2 non0"),
        _metric(
            "acc7", "Acc-7", "higher", "share of equal levels, both rounded half to even in [-3, 3]"
        ),
        _metric("acc5", "Acc-5", "higher", "share of equal levels in five classes"),
        _metric("acc3", "Acc-3", "higher", "share of equal levels in three classes"),
        _metric("parameters", "Params", "lower", "parameters needed at inference", unit="M", digits=3),
        _metric(
            "latency_ms",
            "Latency",
            "lower",
            "model-only forward at batch 1 from ready tensors, median, after warm-up",
            unit="ms",
            digits=3,
        ),
    )
}
