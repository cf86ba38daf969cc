"""Deep correlation of every two clips of a class, the pairs written out."""

from dataclasses import replace

import numpy as np
import torch
from paired_views import clips_of, info_of, train
from torch.testing import assert_close

from baselines.retrieval.c_dcca import CDCCA, CDCCAConfig
from harness.losses.cluster_correlation import ClusterCorrelation, ClusterCorrelationConfig

CONFIG = CDCCAConfig(width=2, hidden=8, layers=2, dropout=0.0, ridge=1e-9)


def clustered(count=60, seed=0):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 3, count)
    sound, pictures = (
        draw.normal(size=(3, width))[labels] + 0.5 * draw.normal(size=(count, width)) for width in (4, 5)
    )
    return clips_of(sound, pictures, labels)


def fitted(clips, train_on=None):
    torch.manual_seed(0)
    model = CDCCA(CONFIG, info_of(clips))
    if train_on is not None:
        train(model, train_on, clips, steps=60)
    with torch.no_grad():
        model.eval().fit(clips)
        return model, model(clips)


def test_over_all_pairs_of_a_class_its_variates_are_canonical():
    clips = clustered()
    model, outputs = fitted(clips)
    sound, pictures = (clips.target.unsqueeze(1) == clips.target).nonzero().T
    audio, vision = outputs.audio_embedding[sound], outputs.vision_embedding[pictures]
    for side in (audio, vision):
        assert_close(side.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
        assert_close(side.T @ side / len(side), torch.eye(2), atol=1e-3, rtol=0)
    assert_close(audio.T @ vision / len(audio), model.head.correlations.diag(), atol=1e-3, rtol=0)


def test_training_raises_the_correlation_within_classes():
    clips = clustered()
    untrained = fitted(clips)[0].head.correlations.sum()
    loss = ClusterCorrelation(ClusterCorrelationConfig(), None)
    assert fitted(clips, train_on=loss)[0].head.correlations.sum() > untrained + 0.1


def test_clips_whose_label_may_not_be_read_do_not_count_in_the_fit():
    clips = clustered()
    known = torch.arange(60) < 40
    hidden = replace(clips, labelled=known, target=clips.target.where(known, 0))
    partly, _ = fitted(hidden)
    alone, _ = fitted(clips.take(torch.arange(40)))
    for name, buffer in partly.head.named_buffers():
        assert_close(buffer, dict(alone.head.named_buffers())[name])
