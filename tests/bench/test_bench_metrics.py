"""How long judging the test split of CMU-MOSI takes."""

import numpy as np
import pytest

from harness.metrics.sentiment import sentiment_metrics

pytestmark = pytest.mark.bench
CLIPS = 686


def test_metrics_of_one_split(timed):
    draws = np.random.default_rng(0)
    target = draws.integers(-15, 16, CLIPS) / 5
    score = target + draws.normal(size=CLIPS)
    found = timed("judging", sentiment_metrics, score, target, "mmsa")
    assert 0 < found["mae"] < 1
