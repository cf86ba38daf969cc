"""Moments of pairs against NumPy over the pairs themselves."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from harness.nn.retrieval.correlation import correlations_of
from harness.nn.retrieval.covariances import cluster_moments, moments

DRAW = np.random.default_rng(0)
AUDIO, VISION = DRAW.normal(3, 2, (20, 4)), DRAW.normal(-1, 1, (20, 3))
LABELS = np.array([0] * 3 + [4] * 10 + [2] * 6 + [7])


def tensors(*arrays):
    return [torch.as_tensor(array) for array in arrays]


def assert_are_moments(found, audio, vision):
    """Of pairs (n, D_a) and (n, D_v), by NumPy."""
    whole = np.cov(np.hstack((audio, vision)).T, bias=True)
    size = audio.shape[1]
    np.testing.assert_allclose(found.audio_mean, audio.mean(0))
    np.testing.assert_allclose(found.vision_mean, vision.mean(0))
    np.testing.assert_allclose(found.audio_covariance, whole[:size, :size], atol=1e-12)
    np.testing.assert_allclose(found.vision_covariance, whole[size:, size:], atol=1e-12)
    np.testing.assert_allclose(found.cross_covariance, whole[:size, size:], atol=1e-12)


def test_of_clips_they_are_those_of_numpy():
    found = moments(*tensors(AUDIO, VISION))
    assert_are_moments(found, AUDIO, VISION)
    assert found.count == 20


def test_of_classes_they_are_those_of_all_pairs_of_one_class():
    pairs = [(i, j) for i in range(20) for j in range(20) if LABELS[i] == LABELS[j]]
    audio, vision = (np.array(side) for side in zip(*pairs, strict=True))
    assert len(pairs) == 9 + 100 + 36 + 1
    found = cluster_moments(*tensors(AUDIO, VISION, LABELS))
    assert_are_moments(found, AUDIO[audio], VISION[vision])
    assert found.count == 20


def test_with_a_clip_a_class_they_are_those_of_clips():
    ours, theirs = (
        cluster_moments(*tensors(AUDIO, VISION, np.arange(20))),
        moments(*tensors(AUDIO, VISION)),
    )
    for one, other in zip(dataclasses.astuple(ours), dataclasses.astuple(theirs), strict=True):
        assert_close(one, other)


def test_the_partner_within_a_class_does_not_matter():
    # Only labels pair sound and pictures.
    order = np.concatenate([DRAW.permutation(np.flatnonzero(label == LABELS)) for label in (0, 4, 2, 7)])
    found = cluster_moments(*tensors(AUDIO, VISION[order], LABELS))
    expected = cluster_moments(*tensors(AUDIO, VISION, LABELS))
    assert_close(found.cross_covariance, expected.cross_covariance)


def test_classes_correlate_in_fewer_directions_than_there_are_classes():
    labels = np.arange(20) % 3
    found = correlations_of(cluster_moments(*tensors(AUDIO, VISION, labels)), 0.1)
    assert int((found > 0).sum()) == 2


@pytest.mark.parametrize("labels", [None, LABELS])
def test_single_precision_is_not_what_they_are_taken_in(labels):
    # In single precision 1e4 + x leaves three digits of x.
    audio, vision = torch.as_tensor(AUDIO) + 1e4, torch.as_tensor(VISION)

    def taken(one, other):
        return moments(one, other) if labels is None else cluster_moments(one, other, *tensors(labels))

    found = taken(audio.float(), vision.float())
    assert_close(found.audio_covariance, taken(audio.float().double(), vision).audio_covariance)


@pytest.mark.parametrize("labels", [None, LABELS])
def test_a_constant_has_no_variance_whatever_its_rounding(labels):
    audio = torch.as_tensor(AUDIO).clone()
    audio[:, 1] = 0.1
    given = audio, torch.as_tensor(VISION)
    found = moments(*given) if labels is None else cluster_moments(*given, *tensors(labels))
    assert not found.audio_covariance[1].any()


@pytest.mark.parametrize("labels", [None, LABELS])
def test_the_gradient_is_that_of_finite_differences(labels):
    def total(audio, vision):
        taken = (
            moments(audio, vision)
            if labels is None
            else cluster_moments(audio, vision, *tensors(labels))
        )
        return correlations_of(taken, 0.1)[:2].sum()

    given = [each.requires_grad_() for each in tensors(AUDIO, VISION)]
    assert torch.autograd.gradcheck(total, given)
