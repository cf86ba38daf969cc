"""What holds of the metrics whatever the scores."""

import subprocess
import sys
import warnings
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.metrics.protocols import PROTOCOLS
from harness.metrics.sentiment import sentiment_metrics
from harness.spec import METRICS, TASKS, SentimentProtocol

PROTOCOL_NAMES = get_args(SentimentProtocol)
protocols = st.sampled_from(PROTOCOL_NAMES)
# Multiples of 0.1 meet edges, halves and zeros far more often than arbitrary floats do.
values = st.integers(-40, 40).map(lambda tenths: tenths / 10)


@st.composite
def clips(draw, smallest=1):
    shape = draw(st.integers(smallest, 30))
    return draw(arrays(float, shape, elements=values)), draw(arrays(float, shape, elements=values))


def same_as(found):
    return pytest.approx(found, nan_ok=True)


def test_every_protocol_of_the_specification_is_defined():
    assert set(PROTOCOLS) == set(PROTOCOL_NAMES)


@pytest.mark.parametrize("protocol", PROTOCOL_NAMES)
def test_every_metric_is_a_known_one_and_the_primary_is_among_them(protocol):
    task = TASKS["sentiment"]
    found = sentiment_metrics(np.array([0.5, -1.0]), np.array([1.0, -2.0]), protocol)
    assert set(found) <= set(task.metrics) <= set(METRICS)
    assert task.primary in found


def test_the_default_protocol_gives_every_metric_of_the_task():
    found = sentiment_metrics(np.array([0.5, -1.0]), np.array([1.0, -2.0]), "mmsa")
    assert list(found) == list(TASKS["sentiment"].metrics)


@given(clips(), protocols, st.randoms())
def test_the_order_of_the_clips_does_not_matter(pair, protocol, random):
    score, target = pair
    order = list(range(len(score)))
    random.shuffle(order)
    found = sentiment_metrics(score, target, protocol)
    assert sentiment_metrics(score[order], target[order], protocol) == same_as(found)


@given(clips(), protocols)
def test_perfect_predictions_are_perfect_under_every_protocol(pair, protocol):
    _, target = pair
    for name, value in sentiment_metrics(target, target, protocol).items():
        perfect = 0.0 if METRICS[name].direction == "lower" else 1.0
        assert np.isnan(value) or value == pytest.approx(perfect), name


@given(clips(), protocols)
def test_every_value_is_a_share_a_correlation_or_an_error(pair, protocol):
    found = sentiment_metrics(*pair, protocol)
    assert not found["mae"] < 0
    assert not abs(found["corr"]) > 1 + 1e-12
    assert all(np.isnan(v) or 0 <= v <= 1 for name, v in found.items() if name not in ("mae", "corr"))


@given(clips(), st.floats(0, 5))
def test_a_constant_error_is_the_mae(pair, shift):
    _, target = pair
    assert sentiment_metrics(target + shift, target, "mmsa")["mae"] == pytest.approx(shift, abs=1e-12)


@given(clips(smallest=2), st.floats(0.5, 2), st.floats(-2, 2))
def test_corr_ignores_scale_and_offset(pair, scale, offset):
    score, target = pair
    before = sentiment_metrics(score, target, "mmsa")["corr"]
    after = sentiment_metrics(score * scale + offset, target, "mmsa")["corr"]
    assert np.isnan(before) or after == pytest.approx(before, abs=1e-9)


@given(clips())
def test_sims_sees_nothing_beyond_one(pair):
    score, target = pair
    inside = score.clip(-1, 1), target.clip(-1, 1)
    assert sentiment_metrics(score, target, "sims") == same_as(sentiment_metrics(*inside, "sims"))


@given(clips(), protocols)
def test_single_and_double_precision_agree_on_every_class(pair, protocol):
    score, target = pair
    double = sentiment_metrics(score, target, protocol)
    single = sentiment_metrics(score.astype(np.float32), target.astype(np.float32), protocol)
    of_classes = {name for name in double if name.startswith(("acc", "f1"))}
    assert {name: single[name] for name in of_classes} == same_as(
        {name: double[name] for name in of_classes}
    )


@pytest.mark.parametrize("protocol", PROTOCOL_NAMES)
@pytest.mark.parametrize("score", [[0.5, 0.5, 0.5], [0.5, 0.5, np.nextafter(0.5, 1)]])
def test_a_collapsed_model_causes_no_warning(score, protocol):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sentiment_metrics(np.array(score), np.array([1.0, -1.0, 0.0]), protocol)
    assert np.isfinite(found["mae"])


@pytest.mark.parametrize("protocol", PROTOCOL_NAMES)
def test_no_clip_gives_no_number(protocol):
    found = sentiment_metrics(np.empty(0), np.empty(0), protocol)
    assert np.isnan(list(found.values())).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("protocol", PROTOCOL_NAMES)
def test_predictions_without_a_value_are_counted_and_refused(protocol, wrong):
    score = np.array([wrong, 0.1, wrong])
    with pytest.raises(ValueError, match="2 of 3 predictions are not finite"):
        sentiment_metrics(score, np.zeros(3), protocol)


def test_labels_without_a_value_are_counted_and_refused():
    with pytest.raises(ValueError, match="1 of 2 labels are not finite"):
        sentiment_metrics(np.zeros(2), np.array([np.nan, 1.0]), "mmsa")


@pytest.mark.parametrize("shape", [(3,), (2, 1)])
def test_scores_and_labels_of_different_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(N,\)"):
        sentiment_metrics(np.zeros(shape), np.zeros(2), "mmsa")


def test_importing_the_metrics_imports_no_heavy_library():
    code = "import sys, harness.metrics.sentiment; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "scipy"} & set(done.stdout.split())
