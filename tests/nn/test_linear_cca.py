"""The module that canonical directions are kept in."""

import pytest
import torch
from torch.testing import assert_close

from harness.nn.retrieval.correlation import cca_from_moments
from harness.nn.retrieval.covariances import cluster_moments, moments
from harness.nn.retrieval.linear_cca import LinearCca
from harness.spec import BadInput

AUDIO, VISION, CLIPS = 4, 6, 60
DRAW = torch.Generator().manual_seed(0)
LABELS = torch.arange(CLIPS) % 3
SHOWN = torch.randn(3, AUDIO + VISION, generator=DRAW)[LABELS]
SEEN = SHOWN + torch.randn(CLIPS, AUDIO + VISION, generator=DRAW)
PAIRS = SEEN[:, :AUDIO], SEEN[:, AUDIO:]


def fitted(width=3, labels=None, **params):
    head = LinearCca(AUDIO, VISION, width, **{"ridge": 0.01, **params})
    head.fit(*PAIRS, labels)
    return head


def test_it_puts_centred_vectors_on_their_canonical_directions():
    found = cca_from_moments(moments(*PAIRS), 3, 0.01)
    audio, vision = fitted()(*PAIRS)
    expected = (PAIRS[0].double() - found.audio_mean) @ found.audio_weights
    assert_close(audio, expected.float(), atol=1e-5, rtol=1e-5)
    assert_close(vision.mean(0), torch.zeros(3), atol=1e-6, rtol=0)


def test_with_classes_it_takes_all_pairs_of_a_class():
    found = cca_from_moments(cluster_moments(*PAIRS, LABELS), 2, 0.01)
    head = fitted(2, LABELS)
    assert_close(head.correlations, found.correlations.float())
    assert_close(head.vision_weights, found.vision_weights.float())


def test_a_variate_counts_by_its_correlation_if_it_is_asked_to():
    plain, weighed = fitted()(*PAIRS), fitted(scale="correlation")(*PAIRS)
    for one, other in zip(plain, weighed, strict=True):
        assert_close(one * fitted().correlations, other)


def test_until_it_is_fitted_the_first_dimensions_are_passed_on():
    audio, vision = LinearCca(AUDIO, VISION, 3, 0.01)(*PAIRS)
    assert audio.equal(PAIRS[0][:, :3])
    assert vision.equal(PAIRS[1][:, :3])


def test_directions_beyond_the_classes_are_empty_and_the_notes_say_so():
    head = fitted(4, LABELS)
    assert int((head.correlations > 0).sum()) == 2
    assert not head(*PAIRS)[0][:, 2:].any()
    assert head.notes() == ("canonical correlation: 2 of 4 directions correlate, the rest are 0",)


def test_a_singular_covariance_is_mended_and_the_notes_say_so():
    assert fitted().notes() == ()
    head = LinearCca(AUDIO + 1, VISION, 3, 0.01)
    head.fit(torch.cat((PAIRS[0], PAIRS[0][:, :1]), dim=1), PAIRS[1])
    assert head.notes() == (
        "canonical correlation: audio covariance of rank 4 in 5 dimensions, invertible by a ridge of "
        "0.01 mean variances",
    )


def test_the_notes_are_the_same_after_a_restart():
    head, other = fitted(4, LABELS), LinearCca(AUDIO, VISION, 4, 0.01)
    other.load_state_dict(head.state_dict())
    assert other.notes() == head.notes()


def test_what_it_finds_can_be_kept_in_any_precision():
    expected = fitted()(*PAIRS)
    for dtype, tolerance in ((torch.float64, 1e-5), (torch.bfloat16, 0.1)):
        head = LinearCca(AUDIO, VISION, 3, 0.01).to(dtype)
        head.fit(*(each.to(dtype) for each in PAIRS))
        for found, wanted in zip(head(*(each.to(dtype) for each in PAIRS)), expected, strict=True):
            assert found.dtype == dtype
            assert_close(found.abs().float(), wanted.abs(), atol=tolerance, rtol=tolerance)


def test_means_and_directions_are_what_inference_needs():
    assert fitted().fitted_parameters() == (3 + 1) * (AUDIO + VISION)


def test_more_directions_than_dimensions_are_refused_before_any_clip_is_seen():
    with pytest.raises(
        BadInput, match=r"^width: 5 .* and 4 audio and 6 vision dimensions have 4 at most"
    ):
        LinearCca(AUDIO, VISION, 5, 0.01)
