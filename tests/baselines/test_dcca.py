"""Deep canonical correlation against the linear one, where only the deep one can correlate."""

import numpy as np
import pytest
import torch
from paired_views import clips_of, info_of, train
from torch.testing import assert_close

from baselines.retrieval.dcca import DCCA, DCCAConfig
from harness.losses.cca_correlation import CcaCorrelation, CcaCorrelationConfig
from harness.nn.retrieval.correlation import canonical_correlations
from harness.nn.retrieval.linear_cca import LinearCca
from harness.spec import BadInput

CONFIG = DCCAConfig(width=2, hidden=16, layers=2, dropout=0.0)


def folded(count, seed):
    """A shared factor that the sound shows as it is and the pictures fold at zero, among noise."""
    draw = np.random.default_rng(seed)
    factor = draw.normal(size=(count, 1))
    sound = np.hstack((factor, draw.normal(size=(count, 2))))
    pictures = np.hstack((np.abs(factor), draw.normal(size=(count, 3))))
    return clips_of(
        sound + 0.1 * draw.normal(size=sound.shape), pictures + 0.1 * draw.normal(size=pictures.shape)
    )


def correlation(audio, vision):
    """Of the first pair of variates."""
    return np.corrcoef(audio[:, 0], vision[:, 0])[0, 1]


def deep(clips, seed=0, config=CONFIG):
    torch.manual_seed(seed)
    return DCCA(config, info_of(clips))


@torch.no_grad()
def variates(model, clips):
    outputs = model.eval()(clips)
    return outputs.audio_embedding, outputs.vision_embedding


def test_it_correlates_held_out_clips_that_no_linear_map_does():
    seen, unseen = folded(256, 0), folded(256, 1)
    model = deep(seen)
    train(model, CcaCorrelation(CcaCorrelationConfig(), None), seen, steps=60, rate=0.03)
    with torch.no_grad():
        model.fit(seen)
    linear = LinearCca(3, 4, 2, ridge=1e-3)
    linear.fit(seen.audio.mean(), seen.vision.mean())
    found = correlation(*variates(model, unseen))
    known = correlation(*linear(unseen.audio.mean(), unseen.vision.mean()))
    assert abs(known) < 0.2
    assert found > 0.8


def test_the_loss_of_the_towers_is_what_the_fitted_head_correlates():
    clips = folded(64, 0)
    model = deep(clips)
    loss = CcaCorrelation(CcaCorrelationConfig(ridge=CONFIG.ridge), None)(model(clips), clips, None)
    with torch.no_grad():
        model.fit(clips)
    assert_close(loss, 2 - model.head.correlations.sum())


def test_variates_of_the_training_clips_are_uncorrelated_within_a_modality():
    clips = folded(128, 0)
    model = deep(clips, config=CONFIG.model_copy(update={"ridge": 1e-9}))
    with torch.no_grad():
        model.eval().fit(clips)
    audio, vision = (side.double() for side in variates(model, clips))
    for side in (audio, vision):
        assert_close(side.T @ side / 128, torch.eye(2).double(), atol=1e-4, rtol=0)
    expected = canonical_correlations(audio, vision, 1e-9).diag()
    assert_close(audio.T @ vision / 128, expected, atol=1e-4, rtol=0)


def test_while_it_is_trained_losses_see_the_towers_own_vectors():
    clips = folded(32, 0)
    model = deep(clips)
    before = model.train()(clips)
    with torch.no_grad():
        model.fit(clips)
    assert model(clips).audio_embedding.equal(before.audio_embedding)
    assert not model.eval()(clips).audio_embedding.equal(before.audio_embedding)


def test_more_dimensions_than_clips_are_refused_in_one_line():
    clips = folded(4, 0)
    with pytest.raises(BadInput, match=r"10 canonical directions.*4 training clips") as refused:
        DCCA(DCCAConfig(), info_of(clips)).fit(clips)
    assert "\n" not in str(refused.value)
