import numpy as np
import torch

from harness.data.parts.scaling import like_train, standardise
from harness.data.parts.sequences import pad
from harness.types import Batch, DataInfo, Dataset


def split(seed, lengths):
    random = torch.Generator().manual_seed(seed)
    features = [torch.randn(length, 4, generator=random) * 3 + 7 for length in lengths]
    for sequence in features:
        sequence[:, 3] = 5.5
    count = len(lengths)
    names = tuple(map(str, range(count)))
    return Batch(names, names, torch.zeros(count), audio=pad(features)), torch.cat(
        features
    ).double().numpy()


def test_it_agrees_with_numpy_over_the_steps_that_exist():
    train, steps = split(0, [3, 1, 5])
    test, others = split(1, [2, 4])
    info = DataInfo(task="sentiment", label_range=(-3, 3), views=frozenset({"audio"}))
    data = standardise(Dataset(train, test, test, info))
    sd = steps.std(0)
    sd[3] = 1
    for batch, rows in ((data.train, steps), (data.test, others)):
        scaled = batch.audio.values[batch.audio.mask].numpy()
        np.testing.assert_allclose(scaled, (rows - steps.mean(0)) / sd, atol=1e-5)
        assert (batch.audio.values[~batch.audio.mask] == 0).all()


def test_it_looks_at_train_only():
    train, _ = split(0, [3, 1, 5])
    info = DataInfo(task="sentiment", label_range=(-3, 3), views=frozenset({"audio"}))
    seen = [
        standardise(Dataset(train, split(seed, [2])[0], split(seed, [3])[0], info)) for seed in (1, 2)
    ]
    assert torch.equal(seen[0].train.audio.values, seen[1].train.audio.values)


def test_what_was_scaled_can_be_scaled_again_to_the_last_bit():
    train, steps = split(0, [3, 1, 5])
    test, _ = split(1, [2, 4])
    info = DataInfo(task="sentiment", label_range=(-3, 3), views=frozenset({"audio"}))
    before = Dataset(train, test, test, info)
    data = standardise(before)
    assert list(data.scales) == ["audio"]
    np.testing.assert_allclose(data.scales["audio"][0], steps.mean(0))
    assert torch.equal(like_train(data, "audio", test.audio).values, data.test.audio.values)
    assert like_train(before, "audio", test.audio) is test.audio
