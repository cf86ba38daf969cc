"""LMF: tensor fusion whose weights are sums of outer products, so that no tensor is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import linear

from baselines.sentiment.config import TINY_TEXT
from baselines.sentiment.vectors import VECTORS_SPACE, VectorsBaseline, VectorsConfig
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs


class LMFConfig(VectorsConfig):
    """Sizes of the sub-networks, and the rank of the fusion."""

    text_hidden: int = Field(128, ge=1, description="width of the LSTM that reads the text")
    text_width: int = Field(64, ge=1, description="width of the text vector")
    vision_width: int = Field(128, ge=1, description="width of the vision vector")
    audio_width: int = Field(16, ge=1, description="width of the audio vector")
    dropout: float = Field(0.3, ge=0, lt=1, description="of normalised vision and audio inputs")
    rank: int = Field(3, ge=1, description="r: products that the fused weights are the sum of")
    factor_rate: float = Field(
        1.0, gt=0, le=10, description="multiple of the learning rate for the modality-specific factors"
    )
    fusion: Literal["paper", "peer"] = Field(
        "paper",
        description="paper: the sum of the products and a learned bias; peer: a random weighted sum and "
        "a bias of 0, neither of them trained",
    )


@BASELINES.register(
    "lmf",
    config=LMFConfig,
    paper="Liu et al. 2018, Low-rank Multimodal Fusion, arXiv 1806.00064, equations 4 to 6",
    tiny={**TINY_TEXT, "text_hidden": 4, "text_width": 4, "vision_width": 3, "audio_width": 2},
    space={
        **VECTORS_SPACE,
        "text_hidden": IntSpace(low=16, high=256, log=True),
        "text_width": IntSpace(low=8, high=128, log=True),
        "vision_width": IntSpace(low=8, high=128, log=True),
        "audio_width": IntSpace(low=4, high=64, log=True),
        "rank": IntSpace(low=1, high=16, log=True),
        "factor_rate": FloatSpace(low=0.25, high=2, log=True),
    },
)
class LMF(VectorsBaseline):
    """Modality vectors through factors of rank r, multiplied with each other and summed to the score.

    The factors give the score itself (an output of width one), as in the authors' code.
    """

    def __init__(self, config: LMFConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        widths = (config.text_width, config.vision_width, config.audio_width)
        self.factors = LowRankFactors(widths, config.rank)
        self.bias = nn.Parameter(torch.zeros(1))
        self.weights: nn.Parameter | None = None
        if config.fusion == "peer":
            self.weights = nn.Parameter(nn.init.xavier_normal_(torch.empty(1, config.rank)))
        self._factor_rate = config.factor_rate

    def rate_scale(self, name: str) -> float:
        """`factor_rate` for the factors, 0 for what the peer leaves as it was drawn."""
        if self.weights is not None and name in {"weights", "bias"}:
            return 0.0
        return self._factor_rate if name.startswith("factors.") else super().rate_scale(name)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the products (B, r) that it is the sum of."""
        products = self.factors(self.vectors(batch))
        summed = products.sum(1) if self.weights is None else products @ self.weights[0]
        return Outputs(summed + self.bias, embedding=products)


class LowRankFactors(nn.Module):
    """Vectors (B, D) of each modality to (B, r): the product of w [z; 1] over modalities, rank by rank.

    The sum over ranks is what an order-M weight tensor of CP rank r makes of the outer product of the
    vectors (equation 6 of the paper).
    """

    def __init__(self, widths: Sequence[int], rank: int) -> None:
        super().__init__()
        drawn = (nn.init.xavier_normal_(torch.empty(rank, width + 1)) for width in widths)
        self.of = nn.ParameterList(drawn)

    def forward(self, vectors: Sequence[Tensor]) -> Tensor:
        """The products (B, r)."""
        product, *others = (
            linear(vector, factor[:, :-1], factor[:, -1])
            for vector, factor in zip(vectors, self.of, strict=True)
        )
        for other in others:
            product = product * other
        return product
