"""MulT: every modality asks every other one, step by step, without being aligned."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.sentiment.crossmodal import (
    ACROSS,
    SPACE,
    TINY,
    WITHIN,
    CrossModalBaseline,
    CrossModalConfig,
    Departure,
)
from harness.nn.crossmodal import CrossModalTransformers
from harness.nn.crossmodal_block import Positions
from harness.nn.dropout import BitDropout
from harness.registry import BASELINES
from harness.spec import ChoiceSpace, FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs, Padded


class MulTConfig(CrossModalConfig):
    """Sizes, dropouts, and where MMSA departs from the paper."""

    memory_layers: int = Field(
        4, ge=1, description="blocks of a transformer over a modality's own states"
    )
    output_dropout: float = Field(0.5, ge=0, lt=1, description="within the head")
    positions: Departure = Field(
        "paper", description="paper: sinusoids are added to the steps; peer: steps have no positions"
    )
    convolution: Departure = Field(
        "paper", description="paper: as many steps as before; peer: kernel - 1 fewer (at least one)"
    )


@BASELINES.register(
    "mult",
    config=MulTConfig,
    paper="Tsai et al. 2019, Multimodal Transformer, arXiv 1906.00295, equations 1 to 5",
    tiny={**TINY, "memory_layers": 1},
    space={
        **SPACE,
        # Every number of heads divides every width.
        "width": IntSpace(low=30, high=60, step=10),
        "heads": ChoiceSpace(choices=(5, 10)),
        "memory_layers": IntSpace(low=2, high=6),
        "output_dropout": FloatSpace(low=0, high=0.5),
    },
)
class MulT(CrossModalBaseline):
    """Six cross-modal transformers, a transformer a modality over the two that it asked, a head.

    The last existing step of each modality is read, and the score from these three through a residual
    block. Sequences may have any lengths; one without a step counts as one step of zeros, one shorter
    than a kernel is followed by zeros.
    """

    def __init__(self, config: MulTConfig, info: DataInfo) -> None:
        super().__init__(config, info, "kept" if config.convolution == "paper" else "cut")
        positions: Positions = "interleaved" if config.positions == "paper" else "none"
        across = config.options(positions, width=config.width, heads=config.heads, layers=config.layers)
        within = config.options(
            positions, width=2 * config.width, heads=config.heads, layers=config.memory_layers
        )
        self.across = CrossModalTransformers(ACROSS, across, config.dropouts_across())
        self.within = CrossModalTransformers(WITHIN, within, [config.attention_dropout] * 3)
        fused = 6 * config.width
        self.widen, self.narrow = nn.Linear(fused, fused), nn.Linear(fused, fused)
        self.dropout = BitDropout(config.output_dropout)
        self.score = nn.Linear(fused, 1)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the fused vector (B, 6 D)."""
        asked = self.across(self.projected(*self.sequences(batch)))
        pairs = zip(asked[::2], asked[1::2], strict=True)
        last = self.within.last([_beside(first, second) for first, second in pairs])
        fused = self._fused(torch.cat(last, dim=1))
        return Outputs(self.score(fused).squeeze(1), embedding=fused)

    def _fused(self, last: Tensor) -> Tensor:
        return last + self.narrow(self.dropout(torch.relu(self.widen(last))))


def _beside(first: Padded, second: Padded) -> Padded:
    return Padded(torch.cat((first.values, second.values), dim=2), first.mask)
