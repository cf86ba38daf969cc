"""Triplets against a loop over every anchor, positive and negative."""

from itertools import product

import numpy as np
import pytest
import torch

from harness.losses.cross_triplet import CrossTriplet, CrossTripletConfig
from harness.nn.retrieval.triplets import TripletRule, triplet_cost
from harness.types import Batch, Outputs

EVERY_WAY = list(product(("all", "hardest", "semi_hard"), (False, True)))


def embeddings(count, width=5, seed=0):
    return np.random.default_rng(seed).normal(size=(2, count, width))


def clips(labels):
    names = tuple(f"clip{n}" for n in range(len(labels)))
    return Batch(names, names, torch.as_tensor(labels))


def loss(audio, vision, labels, **options):
    outputs = Outputs(audio_embedding=torch.tensor(audio), vision_embedding=torch.tensor(vision))
    found = CrossTriplet(CrossTripletConfig(**options), None)(outputs, clips(labels), None)
    return found.item()


def cosine_distances(left, right):
    left, right = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (left, right))
    return 1 - left @ right.T


def mined(row, positives, negatives, mining):
    """The (positive, negative) distances of one anchor that count."""
    near, far = [row[p] for p in positives], [row[n] for n in negatives]
    if not near or not far:
        return []
    if mining == "all":
        return list(product(near, far))
    if mining == "hardest":
        return [(max(near), min(far))]
    return [(one, min([other for other in far if other > one], default=max(far))) for one in near]


def looped(audio, vision, labels, rule):
    families = [(audio, vision, False), (vision, audio, False)]
    families += [(audio, audio, True), (vision, vision, True)] if rule.within else []
    costs = []
    for anchors, items, own_is_out in families:
        for anchor, row in enumerate(cosine_distances(anchors, items)):
            same = [other for other in range(len(row)) if labels[other] == labels[anchor]]
            positives = [other for other in same if not (own_is_out and other == anchor)]
            negatives = [other for other in range(len(row)) if other not in same]
            pairs = mined(row, positives, negatives, rule.mining)
            costs += [max(0, near - far + rule.margin) for near, far in pairs]
    return np.mean(costs) if costs else 0.0


@pytest.mark.parametrize(("mining", "within"), EVERY_WAY)
@pytest.mark.parametrize("margin", [0.05, 0.4, 2.0])
def test_it_is_the_loop_over_triplets(mining, within, margin):
    audio, vision = embeddings(13)
    labels = np.random.default_rng(1).integers(0, 4, 13)
    expected = looped(audio, vision, labels, TripletRule(margin, mining, within))
    assert loss(audio, vision, labels, margin=margin, mining=mining, within=within) == pytest.approx(
        expected, abs=1e-12
    )


def test_three_clips_by_hand():
    """Sounds at 0°, 90° and 180°, pictures in the same places; the classes are x, x and y."""
    points = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    # Of either modality: the first anchor has d+ = 0, 1 and d- = 2, the second d+ = 1, 0 and d- = 1, the
    # third d+ = 0 and d- = 2, 1.
    costs = [0, 0, 0.5, 0, 0, 0]
    assert loss(points, points, [0, 0, 1], margin=0.5) == pytest.approx(np.mean(costs))


@pytest.mark.parametrize(("mining", "within"), EVERY_WAY)
@pytest.mark.parametrize("labels", [[2, 2, 2, 2], [3]])
def test_clips_of_one_class_cost_nothing(mining, within, labels):
    audio, vision = embeddings(len(labels))
    assert loss(audio, vision, labels, mining=mining, within=within) == 0


@pytest.mark.parametrize(("mining", "within"), EVERY_WAY)
def test_classes_farther_apart_than_the_margin_cost_nothing(mining, within):
    places = np.eye(4)[[0, 0, 1, 2, 2]]
    assert loss(places, 3 * places, [0, 0, 1, 2, 2], margin=0.9, mining=mining, within=within) == 0


@pytest.mark.parametrize(("mining", "within"), EVERY_WAY)
def test_neither_the_lengths_nor_a_common_rotation_count(mining, within):
    audio, vision = embeddings(9)
    labels = np.arange(9) % 3
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0]
    moved = loss(7 * audio @ turn, 0.1 * vision @ turn, labels, mining=mining, within=within)
    assert moved == pytest.approx(loss(audio, vision, labels, mining=mining, within=within))


def test_the_hardest_triplets_cost_the_most():
    audio, vision = embeddings(16)
    labels = np.arange(16) % 4
    hardest, every = (loss(audio, vision, labels, mining=mining) for mining in ("hardest", "all"))
    assert hardest > every


def test_sums_over_sorted_negatives_have_the_gradient_of_the_loop():
    distances = torch.rand(6, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    positive = torch.arange(9) < 3 + torch.arange(6).unsqueeze(1) % 2
    sorted_away, plain = (distances.clone().requires_grad_() for _ in range(2))
    triplet_cost(sorted_away, positive, ~positive, TripletRule(0.3))[0].backward()
    hinges = (plain.unsqueeze(2) - plain.unsqueeze(1) + 0.3).relu()
    (hinges * (positive.unsqueeze(2) & ~positive.unsqueeze(1))).sum().backward()
    torch.testing.assert_close(sorted_away.grad, plain.grad)
