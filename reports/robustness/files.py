"""The files on robustness that a study has beside its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.robustness.baseline import baseline_of
from reports.robustness.curves import panels
from reports.robustness.figures import figures
from reports.robustness.render import (
    crossings_csv,
    robustness_csv,
    robustness_markdown,
    summary_csv,
)

if TYPE_CHECKING:
    from reports.collect import Records
    from reports.layout import Layout


def robustness_files(records: Records, layout: Layout, reference: str | None) -> dict[str, bytes]:
    """From a file's name to its content; empty for a study without a protocol."""
    if not records.plan.study.robustness:
        return {}
    found, baseline = panels(records, layout), baseline_of(records, layout, reference)
    written = {
        "robustness.md": robustness_markdown(records, found, baseline),
        "robustness.csv": robustness_csv(records, found),
        "robustness_summary.csv": summary_csv(records, found, baseline),
        "robustness_crossings.csv": crossings_csv(records, found),
    }
    contents = {name: content.encode() for name, content in written.items()}
    for panel in found:
        contents |= figures(panel)
    return contents
