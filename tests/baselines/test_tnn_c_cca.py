"""Triplets, then Cluster-CCA: where classes are in no linear direction of the sound."""

import numpy as np
import torch
from paired_views import clips_of, info_of, train

from baselines.retrieval.tnn_c_cca import TNNCCCA, TNNCCCAConfig
from harness.losses.cross_triplet import CrossTriplet, CrossTripletConfig
from harness.nn.compare.geometry import products, units
from harness.nn.retrieval.linear_cca import LinearCca

CONFIG = TNNCCCAConfig(width=2, hidden=16, layers=2, dropout=0.0)


def crossed(count, seed):
    """Two classes: whether two signs in the sound are equal, and a direction in the pictures."""
    draw = np.random.default_rng(seed)
    signs = draw.choice((-1.0, 1.0), size=(count, 2))
    labels = (signs.prod(1) > 0).astype(np.int64)
    sound = signs + 0.2 * draw.normal(size=(count, 2))
    pictures = np.stack((2.0 * labels - 1, draw.normal(size=count)), 1)
    return clips_of(sound, pictures + 0.2 * draw.normal(size=(count, 2)), labels)


def found(audio, vision, labels):
    """The share of sounds whose nearest pictures are of their class."""
    nearest = products(units(audio), units(vision)).argmax(1)
    return (labels[nearest] == labels).float().mean().item()


def trained(clips):
    torch.manual_seed(0)
    model = TNNCCCA(CONFIG, info_of(clips))
    values = train(model, CrossTriplet(CrossTripletConfig(), None), clips, steps=50, rate=0.02)
    with torch.no_grad():
        model.fit(clips)
    return model, values


def test_it_finds_held_out_classes_that_linear_cluster_cca_does_not():
    seen, unseen = crossed(128, 0), crossed(128, 1)
    model, _ = trained(seen)
    with torch.no_grad():
        outputs = model(unseen)
    deep = found(outputs.audio_embedding, outputs.vision_embedding, unseen.target)
    head = LinearCca(2, 2, 2, ridge=1e-3)
    head.fit(seen.audio.mean(), seen.vision.mean(), seen.target)
    linear = found(*head(unseen.audio.mean(), unseen.vision.mean()), unseen.target)
    assert linear < 0.7
    assert deep > 0.95


def test_triplets_within_the_margin_disappear():
    _, values = trained(crossed(128, 0))
    assert values[-1] < 0.1 * values[0]


def test_a_new_fit_on_the_same_clips_moves_no_embedding():
    clips = crossed(64, 0)
    model, _ = trained(clips)
    with torch.no_grad():
        before = model(clips).audio_embedding
        model.fit(clips)
        assert model(clips).audio_embedding.equal(before)


def test_the_head_is_counted_as_what_inference_needs():
    clips = crossed(16, 0)
    model = TNNCCCA(CONFIG, info_of(clips))
    assert model.fitted_parameters() == 2 * (2 + 2 * 2)
