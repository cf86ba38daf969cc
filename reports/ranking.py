"""What a reader must know of rankings: what chance gives, and where ties decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.spec import METRICS, RetrievalProtocol
from reports.chance import chance_ap

if TYPE_CHECKING:
    from reports.collect import Records

TIED = 0.001
"""A difference to the tie-expected value that would move the third decimal of a table."""

_RULES: dict[RetrievalProtocol, str] = {
    "full": "cosine, whole ranking, over all items of the query's class",
    "tnn_c_cca": "cosine, whole ranking, over all items of the query's class, 0 for a query without any",
    "dscmr": "cosine, as many items as there are queries, over the relevant ones found among them",
    "mrl_50": "cosine, the first 50, over the relevant ones found among them",
    "acmr_50": "Euclidean, the first 50, over the relevant ones found among them",
    "prefix": "mean over cut-offs, HIGHER THAN mAP OF THE SAME RANKING: to recognise published numbers",
}


def ranking_notes(records: Records, split: str) -> Iterator[str]:
    """The rules of the protocols, and what a random ranking is expected to reach on these clips."""
    protocols = {seen.spec.protocol for seen in records.observations}
    yield from (f"Protocol {name}: {rule}." for name, rule in _RULES.items() if name in protocols)
    levels = {f"{level:.4f}" for level in _chance(records, split)}
    if levels and "full" in protocols:
        yield (
            f"Random rankings of the {split} clips have an expected {METRICS['map'].label} of "
            f"{' or '.join(sorted(levels))}{_matched(records, split)}."
        )


def _matched(records: Records, split: str) -> str:
    """The same of match scores, where a teacher has some: a clip is not in its own gallery there."""
    name = f"{split}/match_map"
    judged = {seen.result.metrics.get(name) for seen in records.observations if seen.result is not None}
    levels = {f"{level:.4f}" for level in _chance(records, split, itself=False)}
    if judged == {None} or not judged or not levels:
        return ""
    return f", and of {METRICS['match_map'].label} {' or '.join(sorted(levels))}"


def _chance(records: Records, split: str, *, itself: bool = True) -> Iterator[float]:
    for seen in records.observations:
        if seen.predictions is not None:
            clips = seen.predictions[seen.predictions["split"] == split]
            counts = [int(count) for count in clips["target"].value_counts() if itself or count > 1]
            if counts:
                out = 0 if itself else 1
                levels = (n * chance_ap(n - out, len(clips) - out) for n in counts)
                yield sum(levels) / sum(counts)


def tie_warnings(records: Records, split: str) -> tuple[str, ...]:
    """Arms whose numbers depend on the order in which equal similarities are put."""
    tied = []
    for arm in records.arms:
        moved = [
            abs(result.metrics[f"{split}/map"] - result.metrics[f"{split}/map_tie"])
            for _, result in records.complete(arm)
            if f"{split}/map_tie" in result.metrics
        ]
        if moved and max(moved) > TIED:
            tied.append(f"{arm} ({max(moved):.3f})")
    if not tied:
        return ()
    return (
        f"ties decide: the mAP of {', '.join(tied)} differs so much from what it is expected to be over "
        "all orders of tied items.",
    )
