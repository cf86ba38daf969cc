"""How long reading what frozen parts said takes: the files of a split, found, read and believed."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn
from trials import dataset

from harness.engine.feature_cache import FeatureCache

pytestmark = pytest.mark.bench
CLIPS, WIDTH = 300, 512


class Frozen(nn.Module):
    """A frozen part that may be asked once."""

    def __init__(self):
        super().__init__()
        self.said = []

    def frozen_identity(self):
        return "one vector a clip"

    def precompute(self, batch):
        self.said.append(len(batch))
        return {"vector": batch.vision.mean().new_ones(len(batch), WIDTH)}

    def replaced_views(self):
        return frozenset({"vision"})


def test_reading_a_split_back_from_the_cache(timed, tmp_path):
    fabric, model = Fabric(accelerator="cpu", devices=1), Frozen()
    cache, clips = FeatureCache(tmp_path, "bench"), dataset(train=CLIPS).train
    cache.precomputed(fabric, model, clips, torch.float32)
    found = timed("hashing", cache.precomputed, fabric, model, clips, torch.float32)
    assert found.precomputed["vector"].shape == (CLIPS, WIDTH)
    assert sum(model.said) == CLIPS
