"""Contrastive predictive coding against a softmax in NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA, rotation, softmax

from harness.losses.cpc import CPC, CPCConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
WIDTHS = {"text": 5, "vision": 4, "audio": 3}
PARTS = {
    f"{name}_{kind}": DRAW.normal(size=(6, width))
    for name, width in WIDTHS.items()
    for kind in ("vector", "prediction")
}


def value(parts=PARTS, **config):
    tensors = {name: torch.as_tensor(part) for name, part in parts.items()}
    outputs = Outputs(torch.zeros(len(tensors["text_vector"])), parts=tensors)
    return CPC(CPCConfig(**config), DATA.info)(outputs, DATA.train, None).item()


def cosines(name):
    found = (PARTS[f"{name}_{kind}"] for kind in ("prediction", "vector"))
    prediction, vector = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in found)
    return prediction @ vector.T


def test_a_prediction_is_told_among_the_vectors_of_all_clips():
    expected = -sum(np.log(np.diag(softmax(cosines(name)))).mean() for name in WIDTHS)
    assert value() == pytest.approx(expected)


def test_the_peer_tells_a_vector_among_the_predictions_of_all_clips():
    expected = -sum(np.log(np.diag(softmax(cosines(name).T))).mean() for name in WIDTHS)
    assert value(negatives="peer") == pytest.approx(expected)
    assert value(negatives="peer") != pytest.approx(value())


def test_predictions_that_say_nothing_cost_the_logarithm_of_the_batch():
    alike = {name: np.ones_like(part) if "prediction" in name else part for name, part in PARTS.items()}
    assert value(alike, negatives="peer") == pytest.approx(3 * np.log(6))


def test_right_predictions_cost_less_than_those_of_other_clips():
    def with_predictions(change):
        own = {f"{name}_prediction": change(PARTS[f"{name}_vector"]) for name in WIDTHS}
        return value({**PARTS, **own})

    assert with_predictions(lambda part: 3 * part) < with_predictions(np.negative) - 1
    assert with_predictions(lambda part: 3 * part) < with_predictions(lambda part: np.roll(part, 1, 0))


def test_lengths_and_a_common_rotation_do_not_count():
    turned = {name: 7 * part @ rotation(part.shape[1]) for name, part in PARTS.items()}
    assert value(turned) == pytest.approx(value())
