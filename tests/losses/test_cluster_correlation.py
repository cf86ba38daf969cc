"""Correlation within classes against the pairs themselves, one row each."""

import numpy as np
import pytest
import torch

from harness.losses.cca_correlation import CcaCorrelation, CcaCorrelationConfig
from harness.losses.cluster_correlation import ClusterCorrelation, ClusterCorrelationConfig
from harness.types import Batch, Outputs

LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 0, 1])


def views(labels, width=3, noise=0.5, seed=0):
    draw = np.random.default_rng(seed)
    return [
        draw.normal(size=(labels.max() + 1, width))[labels]
        + noise * draw.normal(size=(len(labels), width))
        for _ in range(2)
    ]


def measured(kind, config, audio, vision, labels):
    names = tuple(f"clip{n}" for n in range(len(labels)))
    outputs = Outputs(audio_embedding=torch.tensor(audio), vision_embedding=torch.tensor(vision))
    return kind(config, None)(outputs, Batch(names, names, torch.tensor(labels)), None).item()


def clustered(audio, vision, labels, ridge=1e-3):
    config = ClusterCorrelationConfig(ridge=ridge)
    return measured(ClusterCorrelation, config, audio, vision, labels)


def paired(audio, vision, ridge=1e-3):
    labels = np.zeros(len(audio), dtype=int)
    return measured(CcaCorrelation, CcaCorrelationConfig(ridge=ridge), audio, vision, labels)


def test_it_is_the_correlation_of_all_pairs_of_one_class():
    audio, vision = views(LABELS)
    of_sound, of_picture = np.nonzero(LABELS[:, None] == LABELS[None])
    expected = paired(audio[of_sound], vision[of_picture])
    assert clustered(audio, vision, LABELS) == pytest.approx(expected)


def test_with_a_class_a_clip_it_is_the_correlation_of_clips():
    audio, vision = views(LABELS)
    assert clustered(audio, vision, np.arange(12)) == pytest.approx(paired(audio, vision))


def test_clips_of_one_class_correlate_nowhere():
    audio, vision = views(LABELS)
    assert clustered(audio, vision, np.zeros(12, dtype=int)) == pytest.approx(3)


def test_whose_picture_a_sound_of_the_class_has_does_not_count():
    audio, vision = views(LABELS)
    others = np.array([10, 2, 0, 4, 11, 8, 5, 6, 7, 9, 1, 3])
    assert (LABELS[others] == LABELS).all()
    assert clustered(audio, vision[others], LABELS) == pytest.approx(clustered(audio, vision, LABELS))


def test_classes_without_spread_correlate_perfectly_in_one_direction_less_than_there_are():
    labels = np.arange(12) % 3
    audio, vision = views(labels, noise=0)
    assert clustered(audio, vision, labels, ridge=1e-9) == pytest.approx(3 - 2, abs=1e-4)
