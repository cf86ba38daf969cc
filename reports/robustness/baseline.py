"""What is expected of an arm when something is missing: the curve of a late fusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.grouping import spec_by_arm

if TYPE_CHECKING:
    from reports.collect import Records
    from reports.layout import Layout


@dataclass(frozen=True)
class Baseline:
    """The arm that effective robustness is about, if any, and how it came to be that."""

    arm: str | None
    words: str


def baseline_of(records: Records, layout: Layout, reference: str | None) -> Baseline:
    """The first late fusion that was trained on complete clips, or else the table's reference."""
    for arm, spec in spec_by_arm(records).items():
        fits = any(pattern.fits(spec) for pattern in layout.late_fusion)
        if fits and spec.missing is None and records.complete(arm):
            return Baseline(arm, f"{arm}, a late fusion, as in MultiBench")
    if reference is not None and records.complete(reference):
        words = (
            f"{reference}, the table's reference, as no late fusion of complete clips is among the arms"
        )
        return Baseline(reference, words)
    return Baseline(None, "none: neither a late fusion nor a reference is among the arms")
