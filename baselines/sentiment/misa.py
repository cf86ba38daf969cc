"""MISA: each modality in a space of its own and in one that all share, then a transformer."""

from __future__ import annotations

from typing import Any, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from baselines.sentiment.base import Baseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, BaselineConfig
from harness.registry import BASELINES
from harness.spec import ChoiceSpace, FloatSpace
from harness.types import Batch, DataInfo, Outputs, Padded

MODALITIES = ("text", "vision", "audio")


class MISAConfig(BaselineConfig):
    """Sizes of codes, fusion and heads, and how shared codes are made alike."""

    width: int = Field(128, ge=1, description="D of projected features and of all codes")
    heads: int = Field(2, ge=1, description="attention heads of the fusion; they divide the width")
    feedforward: int = Field(2048, ge=1, description="inner width of the fusion's transformer layer")
    dropout: float = Field(0.2, ge=0, lt=1, description="in the head, and in the discriminator")
    fusion_dropout: float = Field(0.1, ge=0, lt=1, description="in the fusion's transformer layer")
    similarity: Literal["cmd", "adversarial"] = Field(
        "cmd",
        description="cmd: for the loss cmd; adversarial: a discriminator for domain_adversarial",
    )
    reversal: float = Field(
        0.8, gt=0, description="adversarial: what the discriminator's gradient is times, turned round"
    )
    steps: Literal["paper", "peer"] = Field(
        "paper", description="of vision and audio: paper = all, peer = at most as many as the text's"
    )

    def parts(self) -> frozenset[str]:
        """Codes and rebuilt features of each modality; logits of its domain where they are learnt."""
        kinds = ["shared", "private", "projected", "rebuilt"]
        if self.similarity == "adversarial":
            kinds.append("domain")
        return frozenset(f"{modality}_{kind}" for modality in MODALITIES for kind in kinds)

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self


@BASELINES.register(
    "misa",
    config=MISAConfig,
    paper="Hazarika et al. 2020, MISA, arXiv 2005.03545, equations 1 to 7",
    tiny={**TINY_TEXT, "width": 4, "feedforward": 4},
    space={
        **TEXT_SPACE,
        "width": ChoiceSpace(choices=(32, 64, 128, 256)),
        "feedforward": ChoiceSpace(choices=(128, 512, 2048)),
        "dropout": FloatSpace(low=0, high=0.5),
        "fusion_dropout": FloatSpace(low=0, high=0.5),
        "reversal": FloatSpace(low=0.1, high=2, log=True, when={"similarity": "adversarial"}),
    },
)
class MISA(Baseline):
    """Modality-invariant and -specific codes of each utterance, fused by self-attention.

    A projected modality h gives a shared code σ(W h), W being the same for all, and a private code
    σ(W_m h); a linear layer rebuilds h from their sum. The losses `cmd` (or `domain_adversarial`),
    `difference` and `code_reconstruction` make the codes what they are called.

    The text is the mean of its states, as of those of BERT in the paper, whatever it is read from. A
    sequence without a step counts as one zero step.
    """

    def __init__(self, config: MISAConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.cuts = config.steps == "peer"
        self.reversal = config.reversal
        width, seen = config.width, {view: info.width(view) for view in ("vision", "audio")}
        self.recurrent = nn.ModuleDict({view: StackedStates(seen[view]) for view in seen})
        widths_in = {"text": self.text.width, **{view: 4 * seen[view] for view in seen}}
        self.projections = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(widths_in[name], width), nn.ReLU(), nn.LayerNorm(width))
                for name in MODALITIES
            }
        )
        self.shared = nn.Linear(width, width)
        self.private = nn.ModuleDict({name: nn.Linear(width, width) for name in MODALITIES})
        self.rebuild = nn.ModuleDict({name: nn.Linear(width, width) for name in MODALITIES})
        self.discriminator = discriminator(config) if config.similarity == "adversarial" else None
        self.fusion = nn.TransformerEncoderLayer(
            width, config.heads, config.feedforward, config.fusion_dropout
        )
        self.head = nn.Sequential(
            nn.Linear(6 * width, 3 * width),
            nn.Dropout(config.dropout),
            nn.ReLU(),
            nn.Linear(3 * width, 1),
        )

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), the six codes after fusion (B, 6 D), and what the losses compare."""
        projected = self._projected(batch)
        shared = self.shared(projected).sigmoid()
        private = _each(self.private, projected).sigmoid()
        fused = self.fusion(torch.cat((private, shared))).transpose(0, 1).flatten(1)
        parts = self._parts(projected, shared, private) if self.training else {}
        return Outputs(self.head(fused).squeeze(1), embedding=fused, parts=parts)

    def _projected(self, batch: Batch) -> Tensor:
        """(3, B, D) text, vision and audio as vectors of one width."""
        text, vision, audio = self.sequences(batch)
        if self.cuts:
            vision, audio = cut(vision, text), cut(audio, text)
        found = (text.mean(), self.recurrent["vision"](vision), self.recurrent["audio"](audio))
        return torch.stack(
            [self.projections[name](vector) for name, vector in zip(MODALITIES, found, strict=True)]
        )

    def _parts(self, projected: Tensor, shared: Tensor, private: Tensor) -> dict[str, Tensor]:
        found = {
            "projected": projected,
            "shared": shared,
            "private": private,
            "rebuilt": _each(self.rebuild, private + shared),
        }
        if self.discriminator is not None:
            found["domain"] = self.discriminator(reversed_gradient(shared, self.reversal))
        return {
            f"{modality}_{kind}": values[row]
            for kind, values in found.items()
            for row, modality in enumerate(MODALITIES)
        }


class StackedStates(nn.Module):
    """Last states of two bidirectional LSTMs, the second over the first's normalised states.

    (B, T, D) to (B, 4 D): forward of the first, forward of the second, then backward of both.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.LSTM(width, width, bidirectional=True)
        self.norm = nn.LayerNorm(2 * width)
        self.second = nn.LSTM(2 * width, width, bidirectional=True)

    def forward(self, sequence: Padded) -> Tensor:
        """The vector of each clip; an empty sequence counts as one zero step."""
        lengths = sequence.lengths.clamp(min=1).cpu()
        packed = pack_padded_sequence(sequence.values, lengths, batch_first=True, enforce_sorted=False)
        states, (early, _) = self.first(packed)
        # What is normalised step by step may stay packed.
        normed = PackedSequence(self.norm(states.data), *states[1:])
        _, (late, _) = self.second(normed)
        return torch.cat((early, late), dim=2).transpose(0, 1).flatten(1)


def discriminator(config: MISAConfig) -> nn.Sequential:
    """Logits (..., 3) of the modalities that a shared code (..., D) may come from."""
    return nn.Sequential(
        nn.Linear(config.width, config.width),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.width, len(MODALITIES)),
    )


def cut(sequence: Padded, text: Padded) -> Padded:
    """The first steps of the sequence (B, T, D), of each clip as many as its text has at most."""
    step = torch.arange(sequence.mask.shape[1], device=sequence.mask.device)
    return Padded(sequence.values, sequence.mask & (step < text.lengths.unsqueeze(1)))


def reversed_gradient(values: Tensor, scale: float) -> Tensor:
    """The same values, whose gradient is turned round and multiplied by `scale` on its way back.

    Ganin and Lempitsky 2015, arXiv 1409.7495, equations 12 and 13.
    """
    found: Tensor = _Reversal.apply(values, scale)
    return found


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return values.view_as(values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * slope, None


def _each(layers: nn.ModuleDict, values: Tensor) -> Tensor:
    """(3, B, D) each modality's values through its own layer."""
    return torch.stack([layer(value) for layer, value in zip(layers.values(), values, strict=True)])
