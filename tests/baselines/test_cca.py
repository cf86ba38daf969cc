"""Linear CCA of clips against scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA
from torch.testing import assert_close
from toy_events import ToyEvents, ToyEventsConfig

from baselines.retrieval.cca import Cca, CcaConfig
from harness.spec import BadInput
from harness.types import Padded

DATA = ToyEvents(ToyEventsConfig()).load()


def fitted(clips=DATA.train, **params):
    model = Cca(CcaConfig(**{"width": 3, "ridge": 0.0, **params}), DATA.info).eval()
    model.fit(clips)
    return model


def with_audio(clips, change):
    return replace(clips, audio=Padded(change(clips.audio.values), clips.audio.mask))


def test_vectors_of_test_clips_are_those_of_scikit_learn_up_to_sign_and_length():
    # scikit-learn scales features first, which canonical directions do not mind.
    audio, vision = (view.mean().double().numpy() for view in (DATA.train.audio, DATA.train.vision))
    peer = CCA(n_components=3, tol=1e-12, max_iter=100_000).fit(audio, vision)
    expected = peer.transform(
        DATA.test.audio.mean().double().numpy(), DATA.test.vision.mean().double().numpy()
    )
    outputs = fitted()(DATA.test)
    found = outputs.audio_embedding, outputs.vision_embedding
    for ours, theirs in zip(found, expected, strict=True):
        cosines = torch.cosine_similarity(ours.double(), torch.as_tensor(theirs), dim=0)
        np.testing.assert_allclose(cosines.abs(), 1, atol=1e-5)


def test_features_of_another_scale_are_told_the_same_at_any_ridge():
    before = fitted(ridge=0.1)(DATA.test).audio_embedding
    moved = [with_audio(clips, lambda values: values * 100) for clips in (DATA.train, DATA.test)]
    after = fitted(moved[0], ridge=0.1)(moved[1]).audio_embedding
    assert_close(after @ after.T, before @ before.T, atol=1e-4, rtol=1e-4)


def test_labels_play_no_part():
    unlabelled = replace(
        DATA.train,
        target=torch.full_like(DATA.train.target, -1),
        labelled=torch.zeros(len(DATA.train), dtype=torch.bool),
    )
    assert fitted(unlabelled)(DATA.test).audio_embedding.equal(fitted()(DATA.test).audio_embedding)


def test_too_few_clips_for_its_directions_are_refused():
    with pytest.raises(BadInput, match=r"^width: 3 .* 3 training clips with 7 audio and 9 vision"):
        fitted(DATA.train.take(torch.arange(3)))


def test_a_width_beyond_the_features_is_refused_before_training():
    CcaConfig(width=7).check_data(DATA.info)
    with pytest.raises(BadInput, match=r"^width: 8 .* 7 audio and 9 vision dimensions have 7 at most$"):
        CcaConfig(width=8).check_data(DATA.info)


def test_a_feature_that_never_varies_is_mended_by_the_ridge_and_said():
    def silence_one(values):
        return torch.cat((torch.zeros_like(values[..., :1]), values[..., 1:]), dim=2)

    quiet = with_audio(DATA.train, silence_one)
    with pytest.raises(BadInput, match=r"^ridge: the audio covariance .* rank 6 in 7 dimensions"):
        fitted(quiet)
    assert "audio covariance of rank 6 in 7 dimensions" in " ".join(fitted(quiet, ridge=0.01).notes())
    assert fitted(ridge=0.01).notes() == ()
