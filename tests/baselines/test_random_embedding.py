"""Random embeddings reach what chance does, and know nothing of their clips."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.metrics import label_ranking_average_precision_score
from toy_events import ToyEvents, ToyEventsConfig

from baselines.retrieval.random_embedding import RandomEmbedding, RandomEmbeddingConfig
from harness.types import Padded
from reports.chance import chance_ap

DATA = ToyEvents(ToyEventsConfig(train=200)).load()


def model(seed=0, width=8):
    torch.manual_seed(seed)
    return RandomEmbedding(RandomEmbeddingConfig(width=width), DATA.info).eval()


def mean_average_precision(seed):
    outputs = model(seed)(DATA.train)
    same = DATA.train.target.unsqueeze(1) == DATA.train.target
    scores = outputs.audio_embedding @ outputs.vision_embedding.T
    return label_ranking_average_precision_score(same.numpy(), scores.numpy())


def test_over_seeds_its_mean_average_precision_is_the_one_expected_of_chance():
    found = [mean_average_precision(seed) for seed in range(12)]
    error = np.std(found, ddof=1) / len(found) ** 0.5
    assert error < 0.002
    assert abs(np.mean(found) - chance_ap(50, 200)) < 4 * error


def test_directions_are_of_length_one_and_spread_evenly():
    found = model(width=2)(DATA.train).audio_embedding
    torch.testing.assert_close(found.norm(dim=1), torch.ones(200))
    # The mean of n unit vectors has a mean square length of 1 / n.
    assert found.mean(0).norm() < 4 / 200**0.5


def test_clips_that_are_nearly_alike_get_vectors_that_are_not():
    audio = DATA.train.audio
    near = replace(DATA.train, audio=Padded(audio.values * (1 + 1e-6), audio.mask))
    one, other = (model()(clips).audio_embedding for clips in (DATA.train, near))
    assert (one * other).sum(1).mean().abs() < 4 / (200 * 8) ** 0.5


def test_the_same_numbers_heard_and_seen_get_different_vectors():
    outputs = model()(replace(DATA.train, vision=DATA.train.audio))
    cosines = (outputs.audio_embedding * outputs.vision_embedding).sum(1)
    assert cosines.mean().abs() < 4 / (200 * 8) ** 0.5


def test_another_seed_draws_other_vectors():
    assert not model(1)(DATA.train).audio_embedding.equal(model(0)(DATA.train).audio_embedding)


def test_its_seed_is_all_that_it_keeps():
    assert [parameter.numel() for parameter in model().parameters()] == [1]
