"""Cluster-CCA against CCA of the pairs that it stands for."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close
from toy_events import CLASSES, ToyEvents, ToyEventsConfig

from baselines.retrieval.cca import Cca, CcaConfig
from baselines.retrieval.cluster_cca import ClusterCca, ClusterCcaConfig
from harness.spec import BadInput

DATA = ToyEvents(ToyEventsConfig()).load()


def fitted(clips=DATA.train, **params):
    model = ClusterCca(ClusterCcaConfig(**{"width": 3, "ridge": 0.01, **params}), DATA.info).eval()
    model.fit(clips)
    return model


def test_it_is_the_cca_of_all_pairs_of_a_sound_and_a_picture_of_one_class():
    clips = DATA.train.take(torch.arange(21))  # classes of six and of five clips
    heard, seen = (clips.target.unsqueeze(1) == clips.target).nonzero(as_tuple=True)
    pairs = replace(clips.take(heard), vision=clips.vision.take(seen))
    of_pairs = Cca(CcaConfig(width=3, ridge=0.01), DATA.info).eval()
    of_pairs.fit(pairs)
    ours, theirs = fitted(clips), of_pairs
    assert_close(ours.head.correlations, theirs.head.correlations)
    for name in ("audio_embedding", "vision_embedding"):
        found, expected = getattr(ours(DATA.test), name), getattr(theirs(DATA.test), name)
        assert_close(found @ found.T, expected @ expected.T, atol=1e-4, rtol=1e-4)


def test_which_clip_of_a_class_shows_a_sound_does_not_matter():
    # Toy clips are of the classes in turn, so a step of four stays within one.
    other = replace(
        DATA.train, vision=DATA.train.vision.take(torch.arange(len(DATA.train)).roll(len(CLASSES)))
    )
    assert_close(fitted(other).head.correlations, fitted().head.correlations)


def test_directions_beyond_the_classes_are_empty_and_said():
    model = fitted(width=6)
    assert not model(DATA.test).audio_embedding[:, len(CLASSES) - 1 :].any()
    assert "3 of 6 directions correlate" in " ".join(model.notes())
    assert_close(
        model(DATA.test).audio_embedding[:, :3].abs(), fitted()(DATA.test).audio_embedding.abs()
    )


def test_clips_without_a_label_are_left_out():
    labelled = torch.arange(len(DATA.train)) < 20
    share = replace(DATA.train, labelled=labelled, target=torch.where(labelled, DATA.train.target, -1))
    found = fitted(share)(DATA.test).audio_embedding
    assert found.equal(fitted(DATA.train.take(torch.arange(20)))(DATA.test).audio_embedding)


def test_one_class_alone_is_refused():
    with pytest.raises(BadInput, match="the 12 labelled training clips are of one class"):
        fitted(DATA.train.take(torch.arange(0, 48, 4)))
