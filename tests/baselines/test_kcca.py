"""Kernel CCA against the dual problem that it approximates, and against linear CCA."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel
from torch.testing import assert_close
from toy_events import ToyEvents, ToyEventsConfig

from baselines.retrieval.cca import Cca, CcaConfig
from baselines.retrieval.kcca import Kcca, KccaConfig
from harness.nn.retrieval.kernels import median_distance, own_order
from harness.registry import BASELINES
from harness.spec import BadInput, VariantRef
from harness.types import Padded

DATA = ToyEvents(ToyEventsConfig()).load()
CLIPS = len(DATA.train)
both = pytest.mark.parametrize("approximation", ["nystroem", "incomplete_cholesky"])


def fitted(clips=DATA.train, **params):
    model = Kcca(KccaConfig(**{"width": 3, "landmarks": 12, "ridge": 0.01, **params}), DATA.info).eval()
    model.fit(clips)
    return model


def rbf(rows, against):
    """The kernel that the median heuristic asks for."""
    distance = median_distance(against[own_order(against)].double())
    return rbf_kernel(rows.double().numpy(), against.double().numpy(), gamma=1 / (2 * distance**2))


def cosine(rows, against):
    return cosine_similarity(rows.double().numpy(), against.double().numpy())


def dual(kernels, ridge):
    """Squared correlations and coefficients (n, n) of the first kernel, of Hardoon et al.'s problem."""
    one, other = kernels
    unit = np.eye(len(one))
    kappa, lamda = ridge * np.trace(one), ridge * np.trace(other)
    problem = np.linalg.solve(one + kappa * unit, other) @ np.linalg.solve(other + lamda * unit, one)
    values, vectors = np.linalg.eig(problem)
    order = np.argsort(-values.real)
    return values.real[order], vectors.real[:, order]


@both
@pytest.mark.parametrize("kernel", [rbf, cosine])
def test_with_all_clips_as_landmarks_it_is_the_regularised_kernel_cca_of_the_dual(approximation, kernel):
    model = fitted(approximation=approximation, landmarks=CLIPS, kernel=kernel.__name__)
    views = [view.mean() for view in (DATA.train.audio, DATA.train.vision)]
    centre = np.eye(CLIPS) - 1 / CLIPS
    squares, weights = dual([centre @ kernel(rows, rows) @ centre for rows in views], ridge=0.01)
    np.testing.assert_allclose(model.correlations.square(), squares[:3], atol=1e-5)
    variates = kernel(DATA.test.audio.mean(), views[0]) @ centre @ weights[:, :3]
    found = model(DATA.test).audio_embedding.double().numpy()
    for ours, theirs in zip(found.T, variates.T, strict=True):
        # The dual leaves the mean of the training clips out of the variates of others.
        assert abs(np.corrcoef(ours, theirs)[0, 1]) > 1 - 1e-5


@both
def test_with_a_linear_kernel_it_is_linear_cca(approximation):
    # The ridges are parts of different things, so there is next to none of them.
    ours = fitted(approximation=approximation, kernel="linear", ridge=1e-9)
    theirs = Cca(CcaConfig(width=3, ridge=0), DATA.info).eval()
    theirs.fit(DATA.train)
    assert_close(ours.correlations, theirs.head.correlations, atol=1e-4, rtol=0)
    found, expected = ours(DATA.test).vision_embedding, theirs(DATA.test).vision_embedding
    assert_close(found @ found.T, expected @ expected.T, atol=1e-2, rtol=1e-2)


def test_it_finds_what_no_linear_map_does():
    # Sound says where on a circle, pictures how far from an axis: correlated, but not linearly.
    draw = torch.Generator().manual_seed(0)
    angle = 2 * torch.pi * torch.rand(CLIPS, generator=draw)
    audio = 0.1 * torch.randn(CLIPS, 7, generator=draw)
    vision = 0.1 * torch.randn(CLIPS, 9, generator=draw)
    audio[:, 0] += angle.cos()
    audio[:, 1] += angle.sin()
    vision[:, 0] += 2 * angle.cos() ** 2
    present = torch.ones(CLIPS, 1, dtype=torch.bool)
    clips = replace(
        DATA.train,
        audio=Padded(audio.unsqueeze(1), present),
        vision=Padded(vision.unsqueeze(1), present),
    )
    linear = Cca(CcaConfig(width=2, ridge=0.1), DATA.info).eval()
    linear.fit(clips.take(torch.arange(0, CLIPS, 2)))
    bent = fitted(clips.take(torch.arange(0, CLIPS, 2)), width=2, landmarks=24, ridge=0.02)
    rest = clips.take(torch.arange(1, CLIPS, 2))

    def correlation(model):
        outputs = model(rest)
        pair = torch.stack((outputs.audio_embedding[:, 0], outputs.vision_embedding[:, 0]))
        return torch.corrcoef(pair)[0, 1].abs()

    assert correlation(bent) > 0.8
    assert correlation(linear) < 0.6


@both
def test_the_ridge_does_not_depend_on_how_many_landmarks_there_are(approximation):
    found = [
        fitted(approximation=approximation, landmarks=count, ridge=0.05).correlations
        for count in (36, CLIPS)
    ]
    assert_close(*found, atol=0.02, rtol=0)


@both
@pytest.mark.parametrize("kernel", ["rbf", "cosine", "linear"])
def test_single_precision_is_enough_to_keep_it(approximation, kernel):
    params = {"approximation": approximation, "kernel": kernel, "ridge": 1e-4}
    exact = Kcca(KccaConfig(width=3, landmarks=40, **params), DATA.info).double().eval()
    exact.fit(DATA.train)
    rows = DATA.test.audio.mean()
    found, expected = fitted(landmarks=40, **params).audio(rows), exact.audio(rows.double())
    assert_close(found.double(), expected, atol=1e-3, rtol=1e-3)


@both
def test_landmarks_are_training_clips(approximation):
    model = fitted(approximation=approximation, kernel="linear", landmarks=5).audio
    rows = (DATA.train.audio.mean() - model.mean) * model.scale
    apart = (model.landmarks[: int(model.used)].unsqueeze(1) - rows).abs().amax(2)
    assert apart.min(1).values.max() < 1e-6


def test_its_memory_is_what_it_counts():
    side = fitted().audio
    assert int(side.used) == 12
    assert side.fitted_parameters() == 12 * 7 + 12 * 3 + 3 + 7 + 1
    few = fitted(kernel="linear", landmarks=40).audio
    assert few.fitted_parameters() == 7 * 7 + 7 * 3 + 3 + 7 + 1


def test_the_notes_name_the_approximation_and_the_ridge():
    assert fitted(approximation="nystroem").notes() == (
        "kernel CCA: rbf kernel, nystroem with 12 audio and 12 vision landmarks, "
        "covariances regularised by 0.01 of their total variance",
    )


def test_another_unit_of_the_features_changes_nothing():
    def louder(clips):
        return replace(clips, audio=Padded(clips.audio.values * 100, clips.audio.mask))

    # Which clip is the first landmark does depend on it, unless all are.
    found = fitted(louder(DATA.train), landmarks=CLIPS)(louder(DATA.test)).audio_embedding
    expected = fitted(landmarks=CLIPS)(DATA.test).audio_embedding
    assert_close(found @ found.T, expected @ expected.T, atol=1e-3, rtol=1e-3)


def test_fewer_clips_than_directions_are_refused():
    with pytest.raises(BadInput, match=r"^width: 3 .* 3 training clips"):
        fitted(DATA.train.take(torch.arange(3)))


def test_kernels_of_a_lower_rank_than_the_width_are_refused():
    with pytest.raises(BadInput, match=r"^width: 8 .* 48 training clips with 7 audio and 9 vision"):
        fitted(kernel="linear", width=8, landmarks=40)


def test_features_that_are_all_the_same_are_refused():
    still = replace(
        DATA.train, vision=Padded(torch.ones_like(DATA.train.vision.values), DATA.train.vision.mask)
    )
    with pytest.raises(BadInput, match="features of all 48 training clips are the same"):
        fitted(still)


def test_a_width_beyond_the_landmarks_is_refused():
    with pytest.raises(BadInput, match="8 landmarks have no 9 directions"):
        BASELINES.configure(VariantRef(name="kcca", width=9, landmarks=8))
