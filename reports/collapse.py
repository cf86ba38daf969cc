"""Models that say nearly the same of every clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from reports.collect import Records

SPREAD = 0.05
"""Below this share of the labels' sd, predictions are as good as one number for all clips."""


def collapse_warnings(records: Records, split: str) -> tuple[str, ...]:
    """Every arm that collapsed, with its seeds."""
    seeds = {arm: _collapsed(records, arm, split) for arm in records.arms}
    return tuple(
        f"{arm} collapsed under seed{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}: it "
        f"predicts (nearly) the same of every clip (sd of its scores below {100 * SPREAD:g}% of the "
        "labels')."
        for arm, found in seeds.items()
        if found
    )


def _collapsed(records: Records, arm: str, split: str) -> list[int]:
    return [
        seen.seed
        for seen, _ in records.complete(arm)
        if seen.predictions is not None and _is_flat(seen.predictions, split)
    ]


def _is_flat(predictions: pd.DataFrame, split: str) -> bool:
    clips = predictions[predictions["split"] == split]
    if "score" not in clips:
        return False
    spread, labels = (float(clips[name].std(ddof=0)) for name in ("score", "target"))
    return spread < SPREAD * labels
