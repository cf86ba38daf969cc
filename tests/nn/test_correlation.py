"""Canonical correlation against scikit-learn, and where there is nothing to correlate."""

import math

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA
from torch.testing import assert_close

from harness.nn.retrieval.correlation import (
    canonical_correlations,
    cca_from_moments,
    correlations_of,
)
from harness.nn.retrieval.covariances import moments
from harness.spec import BadInput

AUDIO, VISION, WIDTH, CLIPS = 5, 7, 4, 400


def pairs(count=CLIPS, seed=0):
    """Three shared factors, the first heard and seen best."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    shared = normal(count, 3) * torch.tensor([3.0, 1.5, 0.8])
    audio = shared @ normal(3, AUDIO) + normal(count, AUDIO)
    return 40 + audio, 5 * (shared @ normal(3, VISION) + normal(count, VISION)) - 2


def peer(audio, vision):
    return CCA(n_components=WIDTH, tol=1e-10, max_iter=100_000).fit(audio.numpy(), vision.numpy())


def variates(found, audio, vision):
    return (
        (audio - found.audio_mean) @ found.audio_weights,
        (vision - found.vision_mean) @ found.vision_weights,
    )


def test_correlations_are_those_of_scikit_learn():
    audio, vision = pairs()
    one, other = peer(audio, vision).transform(audio.numpy(), vision.numpy())
    expected = [np.corrcoef(one[:, n], other[:, n])[0, 1] for n in range(WIDTH)]
    found = canonical_correlations(audio, vision, 0.0)
    assert_close(found[:WIDTH], torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0)


def test_variates_are_those_of_scikit_learn_up_to_sign_and_length():
    audio, vision = pairs()
    found = variates(cca_from_moments(moments(audio, vision), WIDTH, 0.0), audio, vision)
    for ours, theirs in zip(
        found, peer(audio, vision).transform(audio.numpy(), vision.numpy()), strict=True
    ):
        cosines = torch.cosine_similarity(ours, torch.as_tensor(theirs), dim=0).abs()
        assert_close(cosines, torch.ones_like(cosines), atol=1e-6, rtol=0)


def test_variates_have_variance_one_and_each_correlates_with_its_partner_alone():
    audio, vision = pairs()
    found = cca_from_moments(moments(audio, vision), WIDTH, 0.0)
    one, other = variates(found, audio, vision)
    unit = torch.eye(WIDTH, dtype=torch.float64)
    assert_close(one.T @ one / CLIPS, unit)
    assert_close(other.T @ other / CLIPS, unit)
    assert_close(one.T @ other / CLIPS, found.correlations.diag())


def test_their_sum_is_the_trace_norm_of_the_whitened_cross_covariance():
    audio, vision = pairs()
    ridge, found = 0.1, moments(audio, vision)

    def whitening(covariance):
        added = ridge * covariance.trace() / len(covariance) * torch.eye(len(covariance))
        values, vectors = torch.linalg.eigh(covariance + added)
        return vectors @ (values**-0.5).diag() @ vectors.T

    matrix = (
        whitening(found.audio_covariance) @ found.cross_covariance @ whitening(found.vision_covariance)
    )
    expected = torch.linalg.matrix_norm(matrix, "nuc")
    assert_close(canonical_correlations(audio, vision, ridge).sum(), expected)


@pytest.mark.parametrize("ridge", [0.0, 0.01, 1.0])
def test_scale_and_place_do_not_matter_at_any_ridge(ridge):
    audio, vision = pairs()
    moved = canonical_correlations(audio * 1000 - 7, vision / 300 + 2, ridge)
    assert_close(moved, canonical_correlations(audio, vision, ridge))


def test_a_rotation_of_either_side_does_not_matter():
    audio, vision = pairs()
    turn = torch.linalg.qr(pairs(VISION)[1])[0]
    assert_close(
        canonical_correlations(audio, vision @ turn, 0.1), canonical_correlations(audio, vision, 0.1)
    )


def test_without_a_ridge_no_linear_map_of_either_side_matters():
    audio, vision = pairs()
    skewed = audio @ (torch.eye(AUDIO) + pairs(AUDIO)[0] / 50)
    assert_close(canonical_correlations(skewed, vision, 0.0), canonical_correlations(audio, vision, 0.0))


def test_a_larger_ridge_finds_lower_correlations():
    audio, vision = pairs()
    sums = [canonical_correlations(audio, vision, ridge).sum() for ridge in (0.0, 0.1, 1.0, 10.0)]
    assert sums == sorted(sums, reverse=True)


def test_a_single_shared_factor_by_hand():
    # Variances 2 and 5, covariance 2 in one dimension each: 2 / sqrt(2 · 5).
    noise = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    shared = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    other = torch.tensor([[1.0], [-1.0], [-1.0], [1.0]])
    found = canonical_correlations(shared + noise, 2 * shared + other, 0.0)
    assert found.item() == pytest.approx(2 / math.sqrt(10))


def test_the_gradient_is_that_of_finite_differences():
    audio, vision = (each[:9].clone().requires_grad_() for each in pairs())
    assert torch.autograd.gradcheck(
        lambda one, other: canonical_correlations(one, other, 0.1)[:3].sum(), (audio, vision)
    )


@pytest.mark.parametrize("count", [1, 2, 4])
def test_fewer_clips_than_dimensions_have_a_finite_gradient(count):
    audio, vision = (each[:count].float().requires_grad_() for each in pairs())
    found = canonical_correlations(audio, vision, 1e-3)
    found.sum().backward()
    assert int((found > 0).sum()) == count - 1
    assert audio.grad.isfinite().all()
    assert vision.grad.isfinite().all()


def test_one_pair_correlates_with_nothing_and_does_not_pull():
    audio, vision = (each[:1].clone().requires_grad_() for each in pairs())
    found = canonical_correlations(audio, vision, 1e-3)
    found.sum().backward()
    assert found.tolist() == [0] * AUDIO
    assert not audio.grad.any()
    assert not vision.grad.any()


def test_correlations_come_back_in_the_precision_of_the_vectors():
    audio, vision = pairs()
    assert canonical_correlations(audio.float(), vision.float(), 0.1).dtype == torch.float32
    assert canonical_correlations(audio.bfloat16(), vision.bfloat16(), 0.1).dtype == torch.float32
    assert correlations_of(moments(audio.float(), vision.float()), 0.1).dtype == torch.float64


def test_more_directions_than_clips_less_one_are_refused():
    audio, vision = pairs(4)
    with pytest.raises(
        BadInput, match=r"^width: 4 .* 4 training clips with 5 audio and 7 .* 3 at most$"
    ):
        cca_from_moments(moments(audio, vision), WIDTH, 0.1)


def test_a_singular_covariance_needs_a_ridge():
    audio, vision = pairs()
    twice = torch.cat((audio, audio[:, :1]), dim=1)
    with pytest.raises(BadInput, match=r"^ridge: the audio covariance .* rank 5 in 6 dimensions"):
        cca_from_moments(moments(twice, vision), WIDTH, 0.0)
    found = cca_from_moments(moments(twice, vision), WIDTH, 1e-6)
    assert (found.audio_rank, found.vision_rank) == (AUDIO, VISION)
    expected = canonical_correlations(audio, vision, 0.0)[:WIDTH]
    assert_close(found.correlations, expected, atol=1e-4, rtol=0)


def test_vectors_that_are_all_the_same_are_refused():
    audio, vision = pairs()
    with pytest.raises(BadInput, match="the vision vectors of all 400 training clips are the same"):
        cca_from_moments(moments(audio, torch.full_like(vision, 0.1)), WIDTH, 0.1)


def test_vectors_that_are_no_numbers_are_refused():
    audio, vision = pairs()
    audio[3, 1] = math.nan
    with pytest.raises(BadInput, match=r"the audio vectors .* not all finite"):
        cca_from_moments(moments(audio, vision), WIDTH, 0.1)


def test_sound_and_pictures_that_never_vary_together_are_refused():
    turns = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]]), torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    with pytest.raises(BadInput, match="4 training clips do not correlate at all"):
        cca_from_moments(moments(*turns), 1, 0.1)


def test_either_side_can_have_a_ridge_of_its_own():
    audio, vision = pairs()
    apart = canonical_correlations(audio, vision, (0.5, 0.0))
    assert_close(apart, canonical_correlations(vision, audio, (0.0, 0.5)))
    both = [canonical_correlations(audio, vision, ridge).sum() for ridge in (0.5, 0.0)]
    assert both[0] < apart.sum() < both[1]
