from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from benched import grid, timed, together
from numpy.typing import NDArray

from reports.bench.ratios import ratio, weighted_medians
from reports.bench.times import times


def unpaired_width(row: pd.DataFrame, reference: pd.DataFrame) -> float:
    """Of the interval of the same ratio, each side resampled for itself."""
    rng = np.random.default_rng(0)
    sides = [table["total_ms"].to_numpy() for table in (row, reference)]
    drawn = [np.median(rng.choice(side, (2000, len(side))), axis=1) for side in sides]
    return float(np.subtract(*np.quantile(drawn[0] / drawn[1], (0.975, 0.025))))


def crossed(total_ms: NDArray[np.float64]) -> pd.DataFrame:
    """A sample of every clip in every process, of times (processes, clips)."""
    process, group = (place.ravel() for place in np.indices(total_ms.shape))
    return pd.DataFrame({"process": process, "group": group, "total_ms": total_ms.ravel()})


def test_percentiles_are_linear_between_order_statistics():
    found = times(timed("a", [1.0, 2.0, 3.0, 4.0, 10.0]))
    assert (found.median, found.mean) == (3.0, 4.0)
    assert found.p90 == pytest.approx(4 + 0.6 * 6)
    assert found.p95 == pytest.approx(4 + 0.8 * 6)
    assert found.sd == pytest.approx(math.sqrt((9 + 4 + 1 + 0 + 36) / 4))


def test_the_99th_percentile_needs_a_hundred_samples():
    assert math.isnan(times(timed("a", np.arange(99.0))).p99)
    assert times(timed("a", np.arange(100.0))).p99 == pytest.approx(98.01)


def test_one_sample_has_no_spread():
    found = times(timed("a", [2.0]))
    assert (found.samples, found.median, found.p95, found.low, found.high) == (1, 2.0, 2.0, 2.0, 2.0)
    assert math.isnan(found.sd)


def test_a_sample_weighs_as_one_whatever_calls_it_is_the_mean_of():
    found = times(together(timed("a", [1.0], calls=1000), timed("a", [3.0], process=1)))
    assert (found.samples, found.calls, found.median) == (2, 1001, 2.0)
    assert (found.processes, found.low, found.high) == (2, 1.0, 3.0)


def test_a_weighted_median_is_the_median_of_that_many_copies():
    rng = np.random.default_rng(3)
    values, weights = rng.integers(0, 5, 7).astype(float), rng.integers(0, 4, (50, 7))
    weights[:, 0] += 1
    expected = [np.median(np.repeat(values, own)) for own in weights]
    assert weighted_medians(values, weights).tolist() == expected


def test_two_rows_of_one_distribution_are_told_to_be_equal():
    clips = np.geomspace(5, 50, 16)
    for seed in range(10):
        found = ratio(
            grid("a", clips, noise=0.05, seed=seed), grid("b", clips, noise=0.05, seed=50 + seed)
        )
        assert found.lower <= 1 <= found.upper


def test_twice_as_long_is_a_ratio_of_two():
    clips = np.geomspace(5, 50, 16)
    exact = ratio(grid("a", 2 * clips), grid("b", clips))
    assert (exact.estimate, exact.lower, exact.upper) == pytest.approx((2, 2, 2))
    noisy = ratio(grid("a", 2 * clips, noise=0.03), grid("b", clips, noise=0.03, seed=1))
    assert 1.8 < noisy.lower < 2 < noisy.upper < 2.2


def test_clips_of_very_different_length_do_not_widen_the_interval_of_pairs():
    clips = np.geomspace(1, 1000, 16)
    row, reference = grid("a", 2 * clips), grid("b", clips)
    found = ratio(row, reference)
    assert found.upper - found.lower < 1e-9
    assert unpaired_width(row, reference) > 2


def test_rounds_of_a_clip_are_one_unit():
    row = timed("a", [2.0, 4.0, 60.0, 8.0], groups=[0, 0, 0, 1])
    found = ratio(row, timed("b", [1.0, 1.0], groups=[0, 1]))
    assert found.estimate == (4.0 + 8.0) / 2
    assert (found.processes, found.groups) == (1, 2)


def test_units_that_one_row_lacks_are_left_out():
    row = timed("a", [2.0, 4.0, 1000.0])
    found = ratio(row, together(timed("b", [1.0, 2.0]), timed("b", [7.0], process=1)))
    assert (found.estimate, found.left_out) == (2.0, 2)
    assert ratio(timed("a", [1.0], groups=[0]), timed("b", [1.0], groups=[1])) is None


def test_a_grid_with_holes_has_an_interval_too():
    clips = np.geomspace(5, 50, 6)
    row, reference = grid("a", 3 * clips), grid("b", clips)
    holes = row["group"] != row["process"]
    found = ratio(row[holes], reference[holes])
    assert (found.lower, found.upper, found.left_out) == pytest.approx((3, 3, 0))


def test_one_clip_in_one_process_has_no_interval():
    found = ratio(timed("a", [3.0]), timed("b", [2.0]))
    assert found.estimate == 1.5
    assert not found.has_interval


def test_one_process_resamples_clips_and_one_clip_processes():
    clips = [10.0, 11.0, 12.0, 30.0]
    over_clips = ratio(grid("a", clips, 1, noise=0.1), grid("b", clips, 1, noise=0.1, seed=1))
    over_processes = ratio(grid("a", [10.0], 4, noise=0.1), grid("b", [10.0], 4, noise=0.1, seed=1))
    for found in (over_clips, over_processes):
        assert found.lower < found.estimate < found.upper


def test_the_same_samples_have_the_same_interval():
    pair = grid("a", [1.0, 2.0, 5.0], noise=0.1), grid("b", [1.0, 2.0, 5.0], noise=0.1, seed=1)
    assert ratio(*pair) == ratio(*pair)


@pytest.mark.parametrize(("processes", "share"), [(3, 0.84), (5, 0.94), (8, 0.96)])
def test_a_ratio_that_differs_between_processes_is_within_its_interval_so_often(processes, share):
    """Twins on 8 clips, each 2 % faster or slower in a process than in another, for no reason."""
    clips, rng, held = np.geomspace(10, 50, 8), np.random.default_rng(0), 0
    for _ in range(300):
        luck = 0.02 * rng.standard_normal((2, processes, 1))
        noise = 0.005 * rng.standard_normal((2, processes, len(clips)))
        found = ratio(*map(crossed, clips * np.exp(luck + noise)), draws=500)
        held += found.lower <= 1 <= found.upper
    assert held / 300 == pytest.approx(share, abs=0.04)
