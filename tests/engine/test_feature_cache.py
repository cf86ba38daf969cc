"""What frozen parts say is computed once, and never believed when it is not what its name says."""

from dataclasses import replace

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file, save_file
from torch import nn
from trials import dataset

from harness.engine import feature_cache
from harness.engine.feature_cache import FeatureCache

DATA = dataset()
FLOAT = torch.float32


class Frozen(nn.Module):
    """A frozen scale of mean vision features; counts the clips that it is asked about."""

    def __init__(self, scale=2.0):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale), requires_grad=False)
        self.asked = 0

    def frozen_identity(self):
        return f"scale {float(self.scale)}"

    def precompute(self, batch):
        self.asked += len(batch)
        return {"mean": batch.vision.mean() * self.scale, "steps": batch.vision.values}

    def replaced_views(self):
        return frozenset({"vision"})


class Trained(nn.Linear):
    """A model without frozen parts."""

    def frozen_identity(self):
        return None

    def precompute(self, batch):
        raise AssertionError

    def replaced_views(self):
        raise AssertionError


@pytest.fixture
def fabric():
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "BLOCK", 10)
    monkeypatch.setattr(feature_cache, "FORWARD", 3)
    return FeatureCache(tmp_path, "data")


def files(cache):
    return sorted(cache.folder.rglob("*.safetensors"))


def filled(cache, fabric, model, clips=DATA.train):
    return cache.precomputed(fabric, model, clips, FLOAT)


def test_the_clips_get_what_the_model_says_and_lose_what_it_replaces(cache, fabric):
    found = filled(cache, fabric, Frozen())
    torch.testing.assert_close(found.precomputed["mean"], DATA.train.vision.mean() * 2)
    assert found.precomputed["steps"].equal(DATA.train.vision.values)
    assert found.vision is None
    assert found.audio is not None
    assert found.ids == DATA.train.ids


def test_the_second_time_nothing_is_computed(cache, fabric):
    first, model = filled(cache, fabric, Frozen()), Frozen()
    second = filled(cache, fabric, model)
    assert model.asked == 0
    assert second.precomputed["mean"].equal(first.precomputed["mean"])


def test_other_weights_data_clips_and_precision_have_their_own_files(cache, fabric):
    filled(cache, fabric, Frozen())
    once = len(files(cache))
    for other, model, clips, how in (
        (cache, Frozen(3.0), DATA.train, fabric),
        (replace(cache, fingerprint="other"), Frozen(), DATA.train, fabric),
        (cache, Frozen(), DATA.test, fabric),
        (cache, Frozen(), DATA.train, Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")),
    ):
        before = len(files(cache))
        filled(other, how, model, clips)
        assert model.asked == len(clips)
        assert len(files(cache)) > before
    assert once == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "garbage"])
def test_a_damaged_file_is_computed_again_alone_and_said(damage, cache, fabric, caplog):
    whole = filled(cache, fabric, Frozen()).precomputed["mean"]
    file, model = files(cache)[1], Frozen()
    content = bytearray(file.read_bytes())
    content[-3] ^= 0x40
    file.write_bytes(
        {"cut": content[:-20], "empty": b"", "flipped": bytes(content), "garbage": b"x" * 99}[damage]
    )
    again = filled(cache, fabric, model).precomputed["mean"]
    assert again.equal(whole)
    assert 0 < model.asked <= 10
    assert str(file) in caplog.text
    assert "damaged" in caplog.text
    model = Frozen()
    filled(cache, fabric, model)
    assert model.asked == 0


def test_a_file_under_another_files_name_is_computed_again(cache, fabric, caplog):
    whole = filled(cache, fabric, Frozen()).precomputed["mean"]
    first, second, _ = files(cache)
    second.write_bytes(first.read_bytes())
    assert filled(cache, fabric, Frozen()).precomputed["mean"].equal(whole)
    assert "computed from something else" in caplog.text


def test_a_file_without_a_checksum_is_not_believed(cache, fabric, caplog):
    filled(cache, fabric, Frozen())
    file = files(cache)[0]
    save_file({name: value + 1 for name, value in load_file(file).items()}, file)
    model = Frozen()
    filled(cache, fabric, model)
    assert model.asked > 0
    assert "computed from something else" in caplog.text


def test_an_interrupted_filling_goes_on_where_it_stopped(cache, fabric):
    class Stops(Frozen):
        def precompute(self, batch):
            if self.asked >= 10:
                raise KeyboardInterrupt
            return super().precompute(batch)

    with pytest.raises(KeyboardInterrupt):
        filled(cache, fabric, Stops())
    model = Frozen()
    filled(cache, fabric, model)
    assert model.asked == len(DATA.train) - 10
    assert not list(cache.folder.rglob("*.partial"))


def test_a_model_without_frozen_parts_sees_the_clips_themselves(cache, fabric):
    for model in (Trained(1, 1), nn.Linear(1, 1)):
        assert filled(cache, fabric, model) is DATA.train
    assert files(cache) == []


def test_what_was_computed_can_be_trained_on(cache, fabric):
    weight = torch.ones((), requires_grad=True)
    (filled(cache, fabric, Frozen()).precomputed["mean"] * weight).sum().backward()
    assert weight.grad is not None


def test_rows_are_taken_with_their_clips(cache, fabric):
    found = filled(cache, fabric, Frozen())
    order = torch.tensor([5, 2])
    assert found.take(order).precomputed["mean"].equal(found.precomputed["mean"][order])
