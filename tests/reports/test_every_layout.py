"""Every table layout that ships can be read and names metrics that exist."""

from pathlib import Path

import pytest

from harness.spec import METRICS
from reports.layout import load_layout

LAYOUTS = sorted(Path(__file__).parents[2].joinpath("reports", "layouts").glob("*.yaml"))


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.stem)
def test_its_columns_are_known_metrics(path):
    columns = [column.metric for column in load_layout(path.stem).columns]
    assert columns
    assert set(columns) <= set(METRICS)
