"""TFR-Net: cross-modal transformers that also generate the steps which were taken from a clip."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import batch_norm

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
from harness.nn.crossmodal_gate import GatedEncoder
from harness.nn.crossmodal_generation import Generator, steps_missing
from harness.nn.crossmodal_steps import fitted
from harness.nn.dropout import BitDropout
from harness.registry import BASELINES
from harness.spec import BadInput, ChoiceSpace, FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs, Padded

VIEWS = ("text", "audio", "vision")
MOST_TEMPORAL_HEADS = 25

_WORDS = {"features": "text", "token_ids": "token_ids"}


class TFRNetConfig(CrossModalConfig):
    """Sizes, dropouts, and where MMSA departs from the paper."""

    width: int = Field(30, ge=1, description="D of every modality; a multiple of heads")
    heads: int = Field(6, ge=1, description="attention heads")
    layers: int = Field(3, ge=1, description="blocks of a transformer between two modalities")
    text_kernel: int = Field(1, ge=1, description="steps that the convolution of text sees")
    vision_kernel: int = Field(3, ge=1, description="steps that the convolution of vision sees")
    text_dropout: float = Field(0.2, ge=0, lt=1, description="on states of the text")
    attention_dropout: float = Field(
        0.2, ge=0, lt=1, description="on attention to text, and of a sequence to itself"
    )
    audio_attention_dropout: float = Field(0.1, ge=0, lt=1, description="on attention to audio")
    relu_dropout: float = Field(0.2, ge=0, lt=1, description="within feed-forward sublayers")
    residual_dropout: float = Field(0.2, ge=0, lt=1, description="after each sublayer")
    memory_layers: int = Field(
        3, ge=1, description="blocks of a transformer within a modality, and of what generates"
    )
    temporal_heads: int | None = Field(
        None,
        ge=1,
        description="heads of what generates; each modality's longest sequence must be a multiple; "
        f"null = the largest divisor up to {MOST_TEMPORAL_HEADS}",
    )
    text_gate: int = Field(36, ge=1, description="width of the vector of text")
    audio_gate: int = Field(20, ge=1, description="width of the vector of audio")
    vision_gate: int = Field(48, ge=1, description="width of the vector of vision")
    gate_layers: int = Field(3, ge=1, description="layers of the GRU that gates")
    gate_dropout: float = Field(0.2, ge=0, lt=1, description="on the vectors of modalities")
    head_width: int = Field(128, ge=1, description="width of the head's hidden layer")
    head_dropout: float = Field(0.0, ge=0, lt=1, description="within the head")
    positions: Departure = Field(
        "paper",
        description="paper: sinusoids, sine beside cosine; peer: all sines first, and none for a step "
        "whose first number is zero",
    )
    generation: Departure = Field(
        "paper",
        description="paper: what generates lets features of a clip ask each other; peer: clips of a "
        "batch, feature by feature",
    )
    targets: Departure = Field(
        "paper",
        description="paper: states of the intact text are given; peer: they learn too",
    )

    def parts(self) -> frozenset[str]:
        """Each modality as it is generated and as it was, while the model is trained."""
        return frozenset(f"{view}_{what}_states" for view in VIEWS for what in ("generated", "intact"))


@BASELINES.register(
    "tfr_net",
    config=TFRNetConfig,
    paper="Yuan et al. 2021, TFR-Net, doi 10.1145/3474085.3475585, section 3",
    tiny={
        **TINY,
        "memory_layers": 1,
        "gate_layers": 1,
        "head_width": 4,
        "text_gate": 4,
        "audio_gate": 3,
        "vision_gate": 2,
    },
    space={
        **SPACE,
        # Every number of heads divides every width.
        "width": IntSpace(low=30, high=60, step=30),
        "heads": ChoiceSpace(choices=(3, 6, 10)),
        "memory_layers": IntSpace(low=2, high=4),
        "text_gate": IntSpace(low=20, high=64, log=True),
        "audio_gate": IntSpace(low=20, high=64, log=True),
        "vision_gate": IntSpace(low=20, high=64, log=True),
        "gate_layers": IntSpace(low=1, high=3),
        "gate_dropout": FloatSpace(low=0, high=0.5),
        "head_width": IntSpace(low=64, high=256, log=True),
        "head_dropout": FloatSpace(low=0, high=0.5),
    },
)
class TFRNet(CrossModalBaseline):
    """A modality's states are its own, and what it learns from each other one, side by side.

    A gated recurrent encoder makes a vector of them, and the three vectors are read by a head. While
    it is trained, a transformer over features and a linear map generate each modality from the same
    states, for the loss ``generation``. Its width is the longest sequence there can be: shorter ones
    are followed by zeros. The score reads nothing of what is generated.
    """

    def __init__(self, config: TFRNetConfig, info: DataInfo) -> None:
        super().__init__(config, info, "kept")
        self.learns_targets = config.targets == "peer"
        self.words = _WORDS.get(config.text_source, "tokens")
        form: Positions = "interleaved" if config.positions == "paper" else "halves"
        sizes = {"width": config.width, "heads": config.heads}
        across = config.options(form, **sizes, layers=config.layers)
        within = config.options(form, **sizes, layers=config.memory_layers)
        self.across = CrossModalTransformers(ACROSS, across, config.dropouts_across())
        self.within = CrossModalTransformers(WITHIN, within, [config.attention_dropout] * 3)
        gates = (config.text_gate, config.audio_gate, config.vision_gate)
        self.gates = nn.ModuleList(
            [GatedEncoder(3 * config.width, gate, config.gate_layers) for gate in gates]
        )
        self.gate_dropout = BitDropout(config.gate_dropout)
        self.generators = nn.ModuleList(_generators(config, self.text.width, self.text.steps, info))
        self.norm = nn.BatchNorm1d(sum(gates))
        self.head = nn.Sequential(
            nn.Linear(sum(gates), config.head_width),
            nn.LeakyReLU(),
            BitDropout(config.head_dropout),
            nn.Linear(config.head_width, 1),
        )

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the three vectors in a row (B, D), and parts while it is trained."""
        sequences = self.sequences(batch)
        states = self._states(self.projected(*sequences))
        vectors = [gate(each) for gate, each in zip(self.gates, states, strict=True)]
        fused = self.gate_dropout(torch.cat(vectors, dim=1))
        score = self.head(self._normalised(fused)).squeeze(1)
        parts = self._parts(batch, sequences, states) if self.training else {}
        return Outputs(score, embedding=fused, parts=parts)

    def _states(self, projected: list[Padded]) -> list[Padded]:
        """(B, T, 3 D) of each modality: its own, then what it learns from the other two."""
        own, learned = self.within(projected), self.across(projected)
        return [
            Padded(torch.cat((alone.values, first.values, second.values), dim=2), alone.mask)
            for alone, first, second in zip(own, learned[::2], learned[1::2], strict=True)
        ]

    def _normalised(self, fused: Tensor) -> Tensor:
        if len(fused) > 1:
            return self.norm(fused)
        # One clip has no variance: a last batch of one is normalised as in evaluation.
        norm = self.norm
        return batch_norm(
            fused, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )

    def _parts(
        self, batch: Batch, sequences: tuple[Padded, Padded, Padded], states: list[Padded]
    ) -> dict[str, Tensor]:
        """Each modality as it was, and with what is generated at the steps that are missing."""
        if batch.intact is None:
            text, vision, audio = (sequence.values.detach() for sequence in sequences)
            pairs = [(view, view) for view in (text, audio, vision)]
        else:
            pairs = self._generated(batch, batch.intact, states)
        named = zip(VIEWS, pairs, strict=True)
        return {
            f"{view}_{what}_states": value
            for view, pair in named
            for what, value in zip(("generated", "intact"), pair, strict=True)
        }

    def _generated(
        self, batch: Batch, intact: Batch, states: list[Padded]
    ) -> list[tuple[Tensor, Tensor]]:
        with torch.set_grad_enabled(self.learns_targets and torch.is_grad_enabled()):
            text, vision, audio = self.sequences(intact)
        found = []
        for view, whole, each, generator in zip(
            (self.words, "audio", "vision"), (text, audio, vision), states, self.generators, strict=True
        ):
            missing = steps_missing(getattr(batch, view), getattr(intact, view)).unsqueeze(2)
            generated = fitted(generator(each), whole.mask.shape[1])
            found.append((torch.where(missing, generated, whole.values), whole.values))
        return found


def temporal_heads(asked: int | None, steps: int, view: str) -> int:
    """The heads of a transformer as wide as there are steps.

    Raises:
        BadInput: those asked for do not divide the steps.
    """
    if asked is None:
        return max(heads for heads in range(1, MOST_TEMPORAL_HEADS + 1) if steps % heads == 0)
    if steps % asked:
        raise BadInput(
            f"temporal_heads {asked} do not divide the {steps} steps of {view}; "
            "null takes the largest number that does",
            key="temporal_heads",
        )
    return asked


def _generators(config: TFRNetConfig, width: int, steps: int, info: DataInfo) -> list[Generator]:
    widths = (width, info.width("audio"), info.width("vision"))
    lengths = (steps, info.steps("audio"), info.steps("vision"))
    return [
        Generator(
            config.options(
                "none",
                width=length,
                heads=temporal_heads(config.temporal_heads, length, view),
                layers=config.memory_layers,
            ),
            config.attention_dropout,
            (3 * config.width, width),
            among_clips=config.generation == "peer",
        )
        for view, width, length in zip(VIEWS, widths, lengths, strict=True)
    ]
