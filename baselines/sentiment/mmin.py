"""MMIN: what is missing of a clip is imagined from what is there, by autoencoders in a cascade."""

from __future__ import annotations

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import pad

from baselines.sentiment.base import Baseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, BaselineConfig
from harness.nn.mlp import mlp
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs, Padded

KERNELS = (3, 4, 5)
"""Words that the convolutions over text look at."""


class MMINConfig(BaselineConfig):
    """Sizes of the encoders, of both cascades and of the head."""

    width: int = Field(128, ge=1, description="D of a modality's vector; a representation has 3 D")
    layers: tuple[PositiveInt, ...] = Field(
        (256, 128, 64), min_length=1, description="widths of an autoencoder's layers, outermost first"
    )
    blocks: int = Field(5, ge=1, description="autoencoders of a cascade")
    head_width: int = Field(128, ge=1, description="width of the head's two hidden layers")
    dropout: float = Field(0.5, ge=0, lt=1, description="in the head")

    def parts(self) -> frozenset[str]:
        """Representations: available, imagined, complete in truth, and the available one come back."""
        return frozenset({"available", "imagined", "complete", "returned"})


@BASELINES.register(
    "mmin",
    config=MMINConfig,
    paper="Zhao, Li and Jin 2021, Missing Modality Imagination Network, 2021.acl-long.203, section 3; "
    "MMIN-style: the target is its own",
    tiny={**TINY_TEXT, "width": 4, "layers": (4, 3), "blocks": 2, "head_width": 4},
    space={
        **TEXT_SPACE,
        "width": IntSpace(low=32, high=256, log=True),
        "blocks": IntSpace(low=1, high=6),
        "head_width": IntSpace(low=32, high=256, log=True),
        "dropout": FloatSpace(low=0, high=0.6),
    },
)
class MMIN(Baseline):
    """Scores what a cascade of autoencoders holds while it imagines the complete clip.

    Vectors of the modalities side by side are a representation. One cascade goes from that of what is
    available to that of the complete clip, a second one back; the losses `imagination` and `cycle`
    measure both ways, and the score is read from the first one's inner codes.

    MMIN-style, for three departures. The paper trains encoders on complete clips first, freezes a copy
    of them, and imagines what these make of the missing modalities alone; here the truth is what the
    model's own encoders make of the whole intact clip, without a gradient, so that one training is
    enough. The paper pairs every clip with each way of missing something; here a study draws it, and
    a clip of which nothing is missing is its own truth. And it classifies; here a score is regressed.
    """

    def __init__(self, config: MMINConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        width = config.width
        self.text_vector = ConvolvedText(self.text.width, width)
        self.vision_vector = HighestState(info.width("vision"), width)
        self.audio_vector = HighestState(info.width("audio"), width)
        self.forth, self.back = (
            Cascade(3 * width, config.layers, config.blocks) for _ in ("forth", "back")
        )
        codes = config.blocks * config.layers[-1]
        self.head = mlp((codes, config.head_width, config.head_width, 1), config.dropout, nn.ReLU)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), codes of the cascade (B, blocks · last of layers), and what the losses compare."""
        available = self.represented(batch)
        codes, reached = self.forth(available)
        fused = torch.cat(codes, dim=1)
        parts = {}
        if self.training:
            imagined = self.forth.end(codes, reached)
            parts = {
                "available": available,
                "imagined": imagined,
                "complete": self._complete(batch, available),
                "returned": self.back.end(*self.back(imagined)),
            }
        return Outputs(self.head(fused).squeeze(1), embedding=fused, parts=parts)

    def represented(self, batch: Batch) -> Tensor:
        """(B, 3 D) the vectors of text, vision and audio side by side."""
        text, vision, audio = self.sequences(batch)
        vectors = (self.text_vector(text), self.vision_vector(vision), self.audio_vector(audio))
        return torch.cat(vectors, dim=1)

    @torch.no_grad()
    def _complete(self, batch: Batch, available: Tensor) -> Tensor:
        return available.detach() if batch.intact is None else self.represented(batch.intact)


class Cascade(nn.Module):
    """Autoencoders one after the other, each of which adds to what the earlier ones have come to.

    From x_1 (B, D) block k makes a code c_k = e_k(x_k), and x_{k+1} = x_k + d_k(c_k); the end is behind
    the last block. Cascaded residual autoencoder: Tran et al., CVPR 2017, doi 10.1109/CVPR.2017.528.
    """

    def __init__(self, width: int, layers: tuple[PositiveInt, ...], blocks: int) -> None:
        super().__init__()
        down, up = (width, *layers), (*reversed(layers), width)
        self.encoders = nn.ModuleList(mlp(down, activation=nn.LeakyReLU) for _ in range(blocks))
        self.decoders = nn.ModuleList(mlp(up, activation=nn.ReLU) for _ in range(blocks))

    def forward(self, values: Tensor) -> tuple[list[Tensor], Tensor]:
        """The code (B, C) of each block, and what went into the last block (B, D)."""
        reached, codes = values, [self.encoders[0](values)]
        for encode, decode in zip(self.encoders[1:], self.decoders[:-1], strict=True):
            reached = reached + decode(codes[-1])
            codes.append(encode(reached))
        return codes, reached

    def end(self, codes: list[Tensor], reached: Tensor) -> Tensor:
        """(B, D) what the cascade comes to; only training asks for it."""
        return reached + self.decoders[-1](codes[-1])


class ConvolvedText(nn.Module):
    """Convolutions over words, the highest value of each, a rectified layer: (B, L, D) to (B, W).

    Kim 2014, Convolutional Neural Networks for Sentence Classification, arXiv 1408.5882, section 2.
    """

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(width_in, width, kernel) for kernel in KERNELS)
        self.outer = nn.Linear(len(KERNELS) * width, width)

    def forward(self, text: Padded) -> Tensor:
        """The vector of each clip; a text that is shorter than a kernel counts with zeros behind it."""
        step = torch.arange(text.mask.shape[1], device=text.mask.device)
        words, found = text.values.transpose(1, 2), []
        for kernel, convolution in zip(KERNELS, self.convolutions, strict=True):
            windows = convolution(pad(words, (0, kernel - 1))).relu()
            last = (text.lengths - kernel).clamp(min=0).unsqueeze(1)
            # A rectified value is never below zero, so that a zero wins nothing.
            found.append(windows.masked_fill((step > last).unsqueeze(1), 0).amax(2))
        return self.outer(torch.cat(found, dim=1)).relu()


class HighestState(nn.Module):
    """The highest value of each number of an LSTM's states over existing steps: (B, T, D) to (B, W)."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width_in, width, batch_first=True)

    def forward(self, sequence: Padded) -> Tensor:
        """The vector of each clip; an empty sequence counts as one zero step."""
        # No state looks ahead, so that padding changes none that is read.
        states, _ = self.lstm(sequence.values)
        missing = ~sequence.mask
        missing[:, 0] = False
        return states.masked_fill(missing.unsqueeze(2), -torch.inf).amax(1)
