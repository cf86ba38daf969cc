"""The metrics: what each is called, which way is better, in which unit, under which protocol."""

from __future__ import annotations

from collections.abc import Iterator
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


def _retrieval() -> Iterator[MetricSpec]:
    ways = {"": "mean of A→V and V→A", "_a2v": "sounds look for pictures", "_v2a": "pictures for sounds"}
    labels = {"": "mAP", "_a2v": "mAP A→V", "_v2a": "mAP V→A"}
    for way, meaning in ways.items():
        yield _metric(
            f"map{way}",
            labels[way],
            "higher",
            f"mean average precision over queries, {meaning}; relevant is what has the query's class, "
            "its own counterpart among it; ties in the gallery's order",
        )
    for way, meaning in ways.items():
        yield _metric(
            f"map_tie{way}",
            f"tie-expected {labels[way]}",
            "higher",
            f"the same, {meaning}, expected over all orders of tied items",
        )
    for depth in (1, 5, 10):
        yield _metric(
            f"recall_at_{depth}",
            f"R@{depth}",
            "higher",
            f"share of queries with an item of their class among the first {depth}, mean of both ways",
        )
    yield _metric(
        "pair_recall_at_10",
        "pair R@10",
        "higher",
        "share of queries with their own counterpart among the first 10, mean of both ways",
    )
    yield _metric(
        "match_map",
        "match mAP",
        "higher",
        "mean average precision of finding clips of a clip's class by match scores, itself removed",
    )
    yield _metric("accuracy", "Acc", "higher", "share of clips whose class has the largest logit")


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
        *_retrieval(),
        _metric("parameters", "Params", "lower", "parameters needed at inference", unit="M", digits=3),
        _metric(
            "flops",
            "FLOPs",
            "lower",
            "floating-point operations of one forward pass over a clip, two a multiply-add; additions "
            "of biases, norms and activations are not counted",
            unit="M",
            digits=3,
        ),
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
