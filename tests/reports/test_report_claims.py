from __future__ import annotations

import pytest
from report_samples import FAILED, Study

from harness.spec import BadInput
from reports import Table, build_table, claims, collect
from reports.layout import Layout, LayoutColumn
from reports.statistics import Bootstrap

LAYOUT = Layout(
    name="small",
    caption="Small",
    split="test",
    columns=(LayoutColumn(metric="mae"), LayoutColumn(metric="corr")),
    bootstrap=Bootstrap(resamples=999),
)


@pytest.fixture(scope="module")
def table() -> Table:
    study = Study(["plain", "good", "noisy", "short"], [0, 1])
    for seed in (0, 1):
        study.gives("plain", seed, [1.0, 1.0, 1.0, 1.0], metrics={"corr": 0.5})
        study.gives("good", seed, [0.5, 0.6, 0.7, 0.8], metrics={"corr": 0.9})
        study.gives("noisy", seed, [0.2, 0.2, 1.6, 1.6], metrics={"corr": 0.1})
    study.gives("short", 0, [9, 9, 9, 9])
    study.gives("short", 1, FAILED)
    return build_table(collect(study.store(), "small"), LAYOUT)


def test_better_needs_an_interval_below_zero(table: Table) -> None:
    assert claims.better_than_reference(table, "good").holds
    noisy = claims.better_than_reference(table, "noisy")
    assert table.row("noisy").difference.estimate < 0
    assert not noisy.holds
    assert noisy.evidence.startswith("-0.1000 [")


def test_the_reference_is_not_better_than_itself(table: Table) -> None:
    assert not claims.better_than_reference(table, "plain").holds


def test_the_worst_arm_is_worst_by_the_direction_of_the_metric(table: Table) -> None:
    assert claims.worst(table, "plain", ["good", "noisy"]).holds
    assert not claims.worst(table, "good", ["plain", "noisy"]).holds
    assert claims.worst(table, "noisy", ["good", "plain"], "corr").holds


def test_an_arm_with_a_failed_seed_bears_out_nothing(table: Table) -> None:
    assert not claims.worst(table, "short", ["plain"]).holds
    assert not claims.worst(table, "plain", ["short", "good"]).holds
    assert not claims.at_most(table, "short", "mae", 100.0).holds
    assert not claims.better_than_reference(table, "short").holds


def test_an_arm_alone_is_not_the_worst(table: Table) -> None:
    assert not claims.worst(table, "plain", ["plain"]).holds


def test_a_bound_holds_up_to_itself(table: Table) -> None:
    assert claims.at_most(table, "plain", "mae", 1.0).holds
    assert not claims.at_most(table, "plain", "mae", 0.99).holds


def test_a_table_is_complete_when_every_seed_of_every_arm_is(table: Table) -> None:
    assert claims.all_complete(table).evidence == "short 1/2"
    assert not claims.all_complete(table).holds


def test_an_unknown_arm_or_metric_is_named_with_the_nearest(table: Table) -> None:
    with pytest.raises(BadInput, match="did you mean 'good'"):
        claims.better_than_reference(table, "god")
    with pytest.raises(BadInput, match="no column 'map'"):
        claims.at_most(table, "good", "map", 1.0)
