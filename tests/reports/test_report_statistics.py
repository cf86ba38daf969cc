from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from reports.statistics import (
    Bootstrap,
    NotPairedError,
    Question,
    paired_difference,
    seed_summary,
)

ORACLE = json.loads((Path(__file__).parent / "seed_aggregation.json").read_text())
QUICK = Bootstrap(resamples=999)
ON_TEST = Question(metric="mae", split="test")


def frame(errors: list[float], videos: list[str], ids: list[str] | None = None) -> pd.DataFrame:
    """Clips with target 1 and a score that is off by the error."""
    return pd.DataFrame(
        {
            "split": "test",
            "id": ids or [f"c{index}" for index in range(len(errors))],
            "video_id": videos,
            "target": 1.0,
            "score": [1.0 + error for error in errors],
        }
    )


def clustered(
    rng: np.random.Generator, effect: float, videos: int = 40
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An arm and a reference whose clips share most of their difference with their video."""
    sizes = rng.integers(1, 12, videos)
    video = np.repeat(np.arange(videos), sizes)
    reference = rng.uniform(1.0, 2.0, len(video))
    change = effect + 0.3 * rng.standard_normal(videos)[video] + 0.05 * rng.standard_normal(len(video))
    names = [f"v{index:02}" for index in video]
    return frame(list(reference + change), names), frame(list(reference), names)


def difference(arm: pd.DataFrame, reference: pd.DataFrame, drawn: Bootstrap = QUICK, seed: int = 0):
    return paired_difference({0: arm}, {0: reference}, ON_TEST, drawn, np.random.default_rng(seed))


@pytest.mark.parametrize("case", ORACLE["seed_aggregation"], ids=lambda case: case["id"])
def test_seed_aggregation_agrees_with_the_vectors(case: dict) -> None:
    found, expected = seed_summary(case["values"]), case["expected"]
    tolerance = ORACLE["tolerance_abs"]
    assert found.n == expected["n"]
    assert found.mean == pytest.approx(expected["mean"], abs=tolerance)
    assert found.sd == pytest.approx(float(expected["std_sample"]), abs=tolerance, nan_ok=True)


def test_the_spread_is_of_a_sample_not_of_a_population() -> None:
    values = ORACLE["seed_aggregation"][0]["values"]
    assert seed_summary(values).sd == pytest.approx(np.std(values) * math.sqrt(5 / 4))


def test_one_seed_has_no_spread_and_none_has_no_mean() -> None:
    assert math.isnan(seed_summary([0.5]).sd)
    assert math.isnan(seed_summary([]).mean)
    assert seed_summary([]).n == 0


def test_an_undefined_value_makes_the_mean_undefined() -> None:
    assert math.isnan(seed_summary([0.5, math.nan]).mean)


def test_the_estimate_is_the_difference_of_the_two_maes() -> None:
    found = difference(frame([0.1, -0.2, 0.3], ["a", "a", "b"]), frame([1, -1, 1], ["a", "a", "b"]))
    assert found.arm_value == pytest.approx(0.2)
    assert found.reference_value == pytest.approx(1.0)
    assert found.estimate == pytest.approx(-0.8)
    assert (found.videos, found.clips) == (2, 3)


def test_the_order_of_the_clips_does_not_matter() -> None:
    arm, reference = clustered(np.random.default_rng(1), -0.1)
    assert difference(arm.sample(frac=1, random_state=3), reference) == difference(arm, reference)


def test_the_interval_agrees_with_a_naive_loop_over_videos() -> None:
    arm, reference = clustered(np.random.default_rng(2), -0.1)
    found = difference(arm, reference, Bootstrap(resamples=9999))
    gain = (arm["score"] - 1).abs() - (reference["score"] - 1).abs()
    groups = [part.to_numpy() for _, part in gain.groupby(arm["video_id"])]
    rng = np.random.default_rng(5)
    means = [
        np.concatenate([groups[pick] for pick in rng.integers(0, len(groups), len(groups))]).mean()
        for _ in range(4000)
    ]
    # The loop gives percentile bounds; with 40 videos BCa moves them by a fraction of their width.
    width = found.upper - found.lower
    assert found.method == "BCa"
    assert found.lower == pytest.approx(np.quantile(means, 0.025), abs=0.12 * width)
    assert found.upper == pytest.approx(np.quantile(means, 0.975), abs=0.12 * width)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    found = [difference(*clustered(rng, -0.1), seed=draw) for draw in range(120)]
    covered = sum(one.lower <= -0.1 <= one.upper for one in found)
    assert 103 <= covered <= 119


def test_resampling_clips_instead_of_videos_would_claim_too_much() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for draw in range(40):
        arm, reference = clustered(rng, -0.1)
        alone = arm.assign(video_id=arm["id"]), reference.assign(video_id=reference["id"])
        found = difference(*alone, seed=draw)
        covered += found.lower <= -0.1 <= found.upper
    assert covered < 32


def test_the_same_stream_gives_the_same_interval() -> None:
    pair = clustered(np.random.default_rng(3), 0.0)
    assert difference(*pair, seed=4) == difference(*pair, seed=4)
    assert difference(*pair, seed=4) != difference(*pair, seed=5)


def test_errors_are_averaged_over_common_seeds_and_their_spread_stands_beside() -> None:
    videos = ["a", "a", "b"]
    arm = {
        0: frame([0.0, 0.0, 0.0], videos),
        1: frame([0.3, 0.3, 0.6], videos),
        2: frame([9] * 3, videos),
    }
    reference = {seed: frame([1.0, 1.0, 1.0], videos) for seed in (0, 1, 3)}
    found = paired_difference(arm, reference, ON_TEST, QUICK, np.random.default_rng(0))
    assert found.estimate == pytest.approx((-1.0 - 0.6) / 2)
    assert found.seeds.n == 2
    assert found.seeds.mean == pytest.approx(found.estimate)
    assert found.seeds.sd == pytest.approx(0.4 / math.sqrt(2))


@pytest.mark.parametrize("change", [0.0, 0.25])
def test_a_difference_that_is_the_same_everywhere_has_no_spread(change: float) -> None:
    videos = [f"v{index // 3}" for index in range(12)]
    found = difference(frame([0.5 + change] * 12, videos), frame([0.5] * 12, videos))
    assert found.estimate == pytest.approx(change)
    assert found.method == "no spread"
    assert math.isnan(found.lower)
    assert math.isnan(found.upper)
    assert not found.excludes_zero


def test_one_video_alone_has_no_spread() -> None:
    assert difference(frame([0.1, 0.9], ["a", "a"]), frame([1, 1], ["a", "a"])).method == "no spread"


def test_where_bca_has_no_value_the_interval_is_a_percentile_one_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = scipy.stats.bootstrap

    def undefined(*data: object, **more: object) -> SimpleNamespace:
        drawn = whole(*data, **more).bootstrap_distribution
        nan = SimpleNamespace(low=math.nan, high=math.nan)
        return SimpleNamespace(bootstrap_distribution=drawn, confidence_interval=nan)

    pair = clustered(np.random.default_rng(2), -0.1)
    expected = difference(*pair)
    monkeypatch.setattr(scipy.stats, "bootstrap", undefined)
    found = difference(*pair)
    assert found.method == "percentile"
    assert found.lower == pytest.approx(expected.lower, abs=0.02)
    assert found.upper == pytest.approx(expected.upper, abs=0.02)


def test_only_the_asked_split_counts() -> None:
    arm, reference = frame([0.5, 9.0], ["a", "b"]), frame([1.0, 1.0], ["a", "b"])
    split = ["test", "val"]
    found = difference(arm.assign(split=split), reference.assign(split=split))
    assert found.estimate == pytest.approx(-0.5)
    with pytest.raises(NotPairedError, match="no predictions on split 'test'"):
        difference(arm.assign(split="val"), reference)


def test_predictions_of_other_clips_are_refused() -> None:
    with pytest.raises(NotPairedError, match="differ in 2 clips, such as 'c1'"):
        difference(frame([1, 1], ["a", "b"]), frame([1, 1], ["a", "b"], ids=["c0", "x1"]))


def test_predictions_of_other_targets_or_videos_are_refused() -> None:
    arm = frame([1, 1], ["a", "b"])
    with pytest.raises(NotPairedError, match="target of 1 clips, such as 'c1'"):
        difference(arm, arm.assign(target=[1.0, 2.0]))
    with pytest.raises(NotPairedError, match="video_id of 1 clips, such as 'c0'"):
        difference(arm, arm.assign(video_id=["z", "b"]))


def test_a_clip_that_is_predicted_twice_is_refused() -> None:
    twice = frame([1, 1], ["a", "b"], ids=["c0", "c0"])
    with pytest.raises(NotPairedError, match="clip 'c0' is predicted twice"):
        difference(twice, twice)


def test_arms_without_a_common_seed_are_refused() -> None:
    table = frame([1, 1], ["a", "b"])
    with pytest.raises(NotPairedError, match="no seed is complete in both"):
        paired_difference({0: table}, {1: table}, ON_TEST, QUICK, np.random.default_rng(0))


def test_seeds_that_test_other_clips_are_folds_and_every_clip_counts_once() -> None:
    arms = {
        seed: frame([1.0, 2.0 + seed], [f"a{seed}", f"b{seed}"], [f"x{seed}", f"y{seed}"])
        for seed in (0, 1)
    }
    references = {
        seed: frame([0.5, 0.5], [f"a{seed}", f"b{seed}"], [f"x{seed}", f"y{seed}"]) for seed in (0, 1)
    }
    found = paired_difference(arms, references, ON_TEST, QUICK, np.random.default_rng(0))
    assert found.estimate == pytest.approx((0.5 + 1.5 + 0.5 + 2.5) / 4)
    assert (found.clips, found.videos, found.seeds.n) == (4, 4, 2)
    assert found.seeds.mean == pytest.approx((1.0 + 1.5) / 2)


def test_seeds_that_share_some_of_their_clips_are_neither_folds_nor_repetitions() -> None:
    tables = {
        0: frame([1.0, 1.0], ["a", "b"], ["x", "y"]),
        1: frame([1.0, 1.0], ["c", "d"], ["z", "w"]),
        2: frame([1.0, 1.0], ["a", "d"], ["x", "w"]),
    }
    with pytest.raises(NotPairedError, match="2 are shared"):
        paired_difference(tables, tables, ON_TEST, QUICK, np.random.default_rng(0))
