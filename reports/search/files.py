"""The files that a search study has beside its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec import SearchStudy
from reports.search.figures import front_figure, search_figure
from reports.search.render import front_csv, search_csv, search_markdown

if TYPE_CHECKING:
    from reports.collect import Records


def search_files(records: Records) -> dict[str, bytes]:
    """From a file's name to its content; empty for a study without searches."""
    study = records.plan.study
    if not isinstance(study, SearchStudy):
        return {}
    found = {
        "search.md": search_markdown(records, study).encode(),
        "search.csv": search_csv(records, study).encode(),
    }
    if len(study.search.objective) == 1:
        return found | {"search.png": search_figure(records, study, "png")}
    return found | {
        "front.csv": front_csv(records, study).encode(),
        "front.png": front_figure(records, study, "png"),
        "front.svg": front_figure(records, study, "svg"),
    }
