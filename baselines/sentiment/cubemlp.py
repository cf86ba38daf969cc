"""CubeMLP: steps x modalities x channels, mixed along each axis in turn."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from baselines.sentiment.base import AlignedBaseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, AlignedConfig
from harness.nn.align import pooled
from harness.nn.cube import CubeBlock
from harness.nn.dropout import BitDropout
from harness.nn.mlp import mlp
from harness.nn.sequence import SummedStates
from harness.registry import BASELINES
from harness.spec import BadInput, FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs, Padded

MODALITIES = 3


class CubeMLPConfig(AlignedConfig):
    """Sizes of the cube and of the blocks that mix it."""

    steps: int | None = Field(
        None, ge=1, description="steps of the cube; null = those of the longest text of the data"
    )
    fit: Literal["pad", "resample"] = Field(
        "pad",
        description="to the cube's steps, pad: zeros after a clip's last one; resample: means over "
        "neighbouring steps, or steps repeated",
    )
    width: int = Field(128, ge=1, description="channels of each modality in the cube")
    recurrent_layers: int = Field(2, ge=1, description="GRU layers that read vision and audio")
    block_steps: tuple[int, ...] = Field(
        (50, 10), description="steps that each block leaves, if that many come in"
    )
    block_widths: tuple[int, ...] = Field((128, 32), description="channels that each block leaves")
    head_width: int = Field(128, ge=1, description="width of the head's hidden layer")
    dropout: float = Field(0.1, ge=0, lt=1, description="of the cube and in the head")
    mixing_dropout: float = Field(0.1, ge=0, lt=1, description="of what each axis is mixed to")

    @model_validator(mode="after")
    def _a_block_has_steps_and_channels(self) -> Self:
        sizes = (*self.block_steps, *self.block_widths)
        if len(self.block_steps) != len(self.block_widths) or not sizes or min(sizes) < 1:
            raise ValueError(
                "expected one number of steps and one of channels a block, at least 1 each; given "
                f"block_steps {list(self.block_steps)} and block_widths {list(self.block_widths)}"
            )
        return self


@BASELINES.register(
    "cubemlp",
    config=CubeMLPConfig,
    paper="Sun et al. 2022, CubeMLP, arXiv 2207.14087, section 3",
    tiny={
        **TINY_TEXT,
        "align": "pool",
        "width": 4,
        "recurrent_layers": 1,
        "block_steps": (3, 2),
        "block_widths": (4, 3),
        "head_width": 4,
    },
    space={
        **TEXT_SPACE,
        "width": IntSpace(low=16, high=256, log=True),
        "recurrent_layers": IntSpace(low=1, high=2),
        "head_width": IntSpace(low=16, high=256, log=True),
        "dropout": FloatSpace(low=0, high=0.5),
        "mixing_dropout": FloatSpace(low=0, high=0.5),
    },
)
class CubeMLP(AlignedBaseline):
    """Text through a layer, vision and audio through GRUs, stacked to a cube; blocks; a head.

    The cube always has the same number of steps, so that padding of a batch does not count.

    Raises:
        BadInput: the data have longer texts than the cube has steps, and are not resampled.
    """

    def __init__(self, config: CubeMLPConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.steps = config.steps or self.text.steps
        self.resamples = config.fit == "resample"
        if self.steps < self.text.steps and not self.resamples:
            raise BadInput(
                f"the cube has {self.steps} steps, and texts have up to {self.text.steps}; "
                "give as many, or set fit: resample",
                key="steps",
            )
        self.text_channels = nn.Linear(self.text.width, config.width, bias=False)
        self.vision_channels = _recurrent(info.width("vision"), config)
        self.audio_channels = _recurrent(info.width("audio"), config)
        self.dropout = BitDropout(config.dropout)
        sizes = [(self.steps, MODALITIES, config.width)]
        for steps, width in zip(config.block_steps, config.block_widths, strict=True):
            sizes.append((min(steps, sizes[-1][0]), MODALITIES, width))
        self.blocks = nn.Sequential(
            *(CubeBlock(before, after, config.mixing_dropout) for before, after in pairwise(sizes))
        )
        steps, modalities, width = sizes[-1]
        self.head = mlp((steps * modalities * width, config.head_width, 1), config.dropout, nn.ReLU)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the mixed cube, flattened to (B, L' 3 D')."""
        mixed = self.blocks(self.cube(batch)).flatten(1)
        return Outputs(self.head(mixed).squeeze(1), embedding=mixed)

    def cube(self, batch: Batch) -> Tensor:
        """(B, L, 3, D): text, vision and audio at each of L steps."""
        text, vision, audio = self.sequences(batch)
        channels = Padded(self.text_channels(text.values), text.mask)
        found = (channels, self.vision_channels(vision), self.audio_channels(audio))
        return torch.stack([self.dropout(self._fitted(each)) for each in found], dim=2)

    def _fitted(self, sequence: Padded) -> Tensor:
        """(B, L, D) of L steps, zero where a clip has none."""
        values = sequence.values.masked_fill(~sequence.mask.unsqueeze(2), 0)
        if self.resamples:
            every = torch.ones(len(values), self.steps, dtype=torch.bool, device=values.device)
            like = Padded(values.new_zeros(len(values), self.steps, 1), every)
            return pooled(Padded(values, sequence.mask), like).values
        if sequence.mask[:, self.steps :].any():
            longest = int(sequence.lengths.max())
            raise ValueError(f"expected sequences of up to {self.steps} steps, given {longest}")
        cut = values[:, : self.steps]
        return nn.functional.pad(cut, (0, 0, 0, self.steps - cut.shape[1]))


def _recurrent(width_in: int, config: CubeMLPConfig) -> nn.Module:
    return SummedStates(width_in, config.width, config.recurrent_layers)
