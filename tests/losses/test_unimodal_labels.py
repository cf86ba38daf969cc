"""Labels of single modalities, against the paper's algorithm clip by clip."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from loss_samples import DATA
from toy import Toy, ToyConfig

from harness.losses.unimodal_labels import UnimodalLabels, UnimodalLabelsConfig
from harness.types import Outputs

MODALITIES = ("text", "vision", "audio")
WIDTHS = {"text": 4, "vision": 3, "audio": 2, "fusion": 5}
CLIPS = DATA.train
COUNT = len(CLIPS)


def outputs(count, draw):
    """Random vectors and scores of a batch, in double precision."""

    def tensor(*shape):
        return torch.tensor(draw.normal(size=shape))

    parts = {f"{name}_vector": tensor(count, width) for name, width in WIDTHS.items()}
    return Outputs(tensor(count), parts=parts | {f"{m}_score": tensor(count) for m in MODALITIES})


def adapted(clips=CLIPS, info=DATA.info, **config):
    loss = UnimodalLabels(UnimodalLabelsConfig(**config), info)
    loss.adapt(outputs(2, np.random.default_rng(9)), None, clips)
    return loss.double()


def batches(clips=CLIPS, seed=0, size=7):
    order = torch.tensor(np.random.default_rng(seed).permutation(len(clips)))
    for index in order.split(size):
        batch = clips.take(index)
        yield index.numpy(), replace(batch, target=batch.target.double())


class Algorithm:
    """Algorithm 1 of the paper, one clip and one modality after the other."""

    def __init__(self, target, low, high, squared=True):
        self.m, self.low, self.high, self.squared = target, low, high, squared
        self.u = {name: target.copy() for name in MODALITIES}
        self.kept = {name: [None] * len(target) for name in WIDTHS}

    def distance(self, vector, labels, name, sign):
        members = [
            kept for kept, label in zip(self.kept[name], labels, strict=True) if np.sign(label) == sign
        ]
        squared = np.sum((vector - np.mean(members, axis=0)) ** 2)
        return squared / np.sqrt(len(vector)) if self.squared else np.sqrt(squared)

    def relative(self, vector, labels, name):
        near, far = (self.distance(vector, labels, name, sign) for sign in (1, -1))
        return (far - near) / (near + 1e-8)

    def step(self, epoch, index, vectors, scores):
        loss = 0.0
        for name in MODALITIES:
            for row, clip in enumerate(index):
                u, m = self.u[name][clip], self.m[clip]
                loss += np.tanh(abs(u - m)) * abs(scores[name][row] - u) / len(index)
        if epoch > 1:
            self.move_labels(epoch, index, vectors)
        for name in WIDTHS:
            for row, clip in enumerate(index):
                self.kept[name][clip] = vectors[name][row]
        return loss

    def move_labels(self, epoch, index, vectors):
        for name in MODALITIES:
            moved = self.u[name].copy()
            for row, clip in enumerate(index):
                m = self.m[clip]
                a_s = self.relative(vectors[name][row], self.u[name], name)
                a_m = self.relative(vectors["fusion"][row], self.m, "fusion")
                new = m + (a_s - a_m) / 2 * (m + a_m) / a_m
                new = min(max(new, self.low), self.high)
                old = self.u[name][clip]
                moved[clip] = (epoch - 1) / (epoch + 1) * old + 2 / (epoch + 1) * new
            self.u[name] = moved


@pytest.mark.parametrize("distance", ["paper", "peer"])
def test_it_is_the_papers_algorithm(distance):
    loss, draw = adapted(distance=distance), np.random.default_rng(1)
    target = CLIPS.target.double().numpy()
    algorithm = Algorithm(target, -3.0, 3.0, squared=distance == "paper")
    for epoch in (1, 2, 3, 4):
        for index, batch in batches(seed=epoch):
            said = outputs(len(index), draw)
            vectors = {name: said.part(f"{name}_vector").numpy() for name in WIDTHS}
            scores = {name: said.part(f"{name}_score").numpy() for name in MODALITIES}
            expected = algorithm.step(epoch, index, vectors, scores)
            assert loss(said, batch, None).item() == pytest.approx(expected)
        found = np.stack([algorithm.u[name] for name in MODALITIES])
        np.testing.assert_allclose(loss.made.numpy(), found, atol=1e-5)


def trained(loss, epochs, clips=CLIPS, seed=1):
    draw = np.random.default_rng(seed)
    for epoch in range(epochs):
        for index, batch in batches(clips, seed=epoch):
            loss(outputs(len(index), draw), batch, None)
    return loss


def test_the_first_epoch_costs_nothing_and_moves_no_label():
    loss, draw = adapted(), np.random.default_rng(1)
    for index, batch in batches():
        assert loss(outputs(len(index), draw), batch, None).item() == 0
    np.testing.assert_allclose(loss.made.numpy(), np.tile(CLIPS.target.numpy(), (3, 1)))


def test_in_evaluation_nothing_is_remembered():
    loss = trained(adapted(), 2).eval()
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    trained(loss, 1)
    assert all(value.equal(before[name]) for name, value in loss.state_dict().items())


def test_what_is_remembered_goes_into_a_checkpoint_and_comes_back():
    loss, other = trained(adapted(), 2), adapted()
    other.load_state_dict(loss.state_dict())
    again, found = (trained(one, 1, seed=5) for one in (loss, other))
    assert again.made.equal(found.made)
    assert again.times_seen.tolist() == [3] * COUNT


def test_labels_stay_in_the_range_of_the_data():
    narrow = replace(DATA.info, label_range=(-1.0, 1.0))
    clips = replace(CLIPS, target=CLIPS.target / 3)
    loss = trained(adapted(clips, narrow), 4, clips)
    assert loss.made.abs().max() <= 1
    assert not loss.made.allclose(clips.target.double())


def test_a_modality_that_looks_as_all_together_keeps_the_clips_label():
    loss, draw = adapted(), np.random.default_rng(1)
    for epoch in range(3):
        for index, batch in batches(seed=epoch):
            said = outputs(len(index), draw)
            fused = said.part("fusion_vector")[:, :4]
            same = {f"{name}_vector": fused for name in ("text", "fusion")}
            if epoch == 0:
                loss.fusion_vectors = loss.fusion_vectors[:, :4]
            loss(replace(said, parts={**said.parts, **same}), batch, None)
    np.testing.assert_allclose(loss.made[0].numpy(), CLIPS.target.numpy(), atol=1e-5)
    assert not loss.made[1].isclose(CLIPS.target.double(), atol=1e-2).all()


@pytest.mark.parametrize("target", [1.0, 0.0], ids=["all positive", "all neutral"])
def test_without_clips_of_both_classes_labels_stay(target):
    clips = replace(CLIPS, target=torch.full((COUNT,), target))
    loss = trained(adapted(clips), 3, clips)
    assert loss.made.tolist() == [[target] * COUNT] * 3


def test_clips_that_stand_on_a_centre_leave_numbers():
    loss = adapted()
    said = outputs(COUNT, np.random.default_rng(1))
    alike = {name: part[:1].expand_as(part) for name, part in said.parts.items()}
    batch = replace(CLIPS, target=CLIPS.target.double())
    for _ in range(3):
        assert loss(replace(said, parts=alike), batch, None).isfinite()
    assert loss.made.isfinite().all()


def test_hidden_labels_are_not_kept():
    labelled = torch.arange(COUNT) % 2 == 0
    clips = replace(CLIPS, labelled=labelled, target=CLIPS.target.where(labelled, torch.nan))
    loss = adapted(clips)
    assert not loss.targets[~labelled].any()
    seen = clips.take(labelled.nonzero().squeeze(1))
    trained(loss, 3, seen)
    assert loss.made.isfinite().all()
    assert loss.times_seen.tolist() == (3 * labelled).tolist()


def test_the_gradient_reaches_scores_alone():
    loss = trained(adapted(), 2)
    _, batch = next(batches())
    said = outputs(len(batch), np.random.default_rng(3))
    parts = {name: part.requires_grad_() for name, part in said.parts.items()}
    loss(replace(said, parts=parts), batch, None).backward()
    assert {name for name, part in parts.items() if part.grad is not None} == {
        f"{name}_score" for name in MODALITIES
    }


def test_another_toy_is_remembered_by_its_own_ids():
    data = Toy(ToyConfig(train=30)).load()
    loss = adapted(data.train, data.info)
    assert loss.made.shape == (3, 30)
    assert trained(loss, 1, data.train).times_seen.sum() == 30
