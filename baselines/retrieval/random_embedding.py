"""Random embeddings: what retrieval reaches that knows nothing."""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from harness.nn.retrieval.towers import PairConfig
from harness.registry import BASELINES
from harness.spec import IntSpace
from harness.types import Batch, DataInfo, Outputs, Padded


class RandomEmbeddingConfig(PairConfig):
    """The width of the vectors, which changes nothing that can be expected of them."""

    is_fitted: ClassVar[bool] = True


@BASELINES.register(
    "random_embedding",
    config=RandomEmbeddingConfig,
    paper="no paper: the level of chance, whose expected mAP is known in closed form",
    tiny={"width": 3},
    space={"width": IntSpace(low=2, high=256, log=True)},
)
class RandomEmbedding(nn.Module):
    """For every sound and every picture a direction of its own, drawn evenly over all directions.

    A random projection would not do: what is alike would stay alike. The generator of a vector is seeded
    with a hash of its features to the bit and of the model's own seed, so that the same features get the
    same vector in any company, and others an independent one.
    """

    def __init__(self, config: RandomEmbeddingConfig, info: DataInfo) -> None:
        super().__init__()
        self._width = config.width
        # A parameter, and not a buffer: it is all that this model has to keep, and counts as such.
        self.seed = nn.Parameter(torch.randint(2**62, (1,)), requires_grad=False)

    def forward(self, batch: Batch) -> Outputs:
        """Vectors (B, D) of length one."""
        return Outputs(
            audio_embedding=self._drawn("audio", batch.audio),
            vision_embedding=self._drawn("vision", batch.vision),
        )

    def _drawn(self, view: str, features: Padded | None) -> Tensor:
        if features is None:
            raise ValueError(f"the model reads {view} features, and the clips have none")
        known = f"{int(self.seed)} {view} ".encode()
        steps = features.values.float().cpu().numpy(), features.mask.cpu().numpy()
        rows = [
            self._direction(known + values[mask].tobytes()) for values, mask in zip(*steps, strict=True)
        ]
        return torch.as_tensor(np.stack(rows)).to(features.values)

    def _direction(self, key: bytes) -> np.ndarray:
        draw = np.random.default_rng(int.from_bytes(sha256(key).digest()))
        vector = draw.standard_normal(self._width)
        return vector / np.linalg.norm(vector)
