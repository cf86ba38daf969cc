"""MFN: an LSTM a modality, attention to what changes in their cells, and a gated memory of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from baselines.sentiment.base import AlignedBaseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, AlignedConfig
from harness.nn.memory import Inner, MemoryFusion, MemorySizes, two_layers
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace, Space
from harness.types import Batch, DataInfo, Outputs, Padded

MEMORY_SPACE: dict[str, Space] = {
    **TEXT_SPACE,
    "text_width": IntSpace(low=32, high=256, log=True),
    "vision_width": IntSpace(low=16, high=256, log=True),
    "audio_width": IntSpace(low=8, high=128, log=True),
    "memory": IntSpace(low=32, high=400, log=True),
    "proposal_width": IntSpace(low=32, high=256, log=True),
    "proposal_dropout": FloatSpace(low=0, high=0.7),
    "retain_width": IntSpace(low=32, high=256, log=True),
    "retain_dropout": FloatSpace(low=0, high=0.7),
    "update_width": IntSpace(low=32, high=256, log=True),
    "update_dropout": FloatSpace(low=0, high=0.7),
}
"""What a search tries for every model with a gated memory."""

TINY_MEMORY = {
    **TINY_TEXT,
    "align": "pool",
    "text_width": 4,
    "vision_width": 3,
    "audio_width": 2,
    "memory": 4,
    "proposal_width": 4,
    "retain_width": 4,
    "update_width": 4,
}
"""The smallest model with a gated memory."""


class MemoryConfig(AlignedConfig):
    """Fields of every model with LSTMs side by side and a gated memory; dropout is of hidden layers."""

    text_width: int = Field(256, ge=1, description="width of the text LSTM")
    vision_width: int = Field(256, ge=1, description="width of the vision LSTM")
    audio_width: int = Field(32, ge=1, description="width of the audio LSTM")
    memory: int = Field(400, ge=1, description="width of the memory")
    proposal_width: int = Field(64, ge=1, description="hidden layer of the network of new memories")
    proposal_dropout: float = Field(
        0.0, ge=0, lt=1, description="dropout of the network of new memories"
    )
    retain_width: int = Field(256, ge=1, description="hidden layer of the retain gate")
    retain_dropout: float = Field(0.7, ge=0, lt=1, description="dropout of the retain gate")
    update_width: int = Field(32, ge=1, description="hidden layer of the update gate")
    update_dropout: float = Field(0.5, ge=0, lt=1, description="dropout of the update gate")
    gates: Literal["paper", "peer"] = Field(
        "paper",
        description="what the memory's gates read: paper = the step's fusion, peer = also the memory",
    )

    def states(self) -> dict[str, int]:
        """Widths of the LSTMs, in the order in which their states are joined."""
        return {"text": self.text_width, "audio": self.audio_width, "vision": self.vision_width}

    def sizes(self) -> MemorySizes:
        """The sizes of the memory and of its networks."""
        return MemorySizes(
            memory=self.memory,
            proposal=Inner(self.proposal_width, self.proposal_dropout),
            retain=Inner(self.retain_width, self.retain_dropout),
            update=Inner(self.update_width, self.update_dropout),
            gates_read_memory=self.gates == "peer",
        )


class MemoryBaseline(AlignedBaseline):
    """A baseline with a gated memory, whose modalities have names."""

    def __init__(self, config: MemoryConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.widths_in = {
            "text": self.text.width,
            "audio": info.width("audio"),
            "vision": info.width("vision"),
        }

    def named(self, batch: Batch) -> dict[str, Padded]:
        """Aligned sequences (B, T, D) by modality, in the order in which their states are joined."""
        text, vision, audio = self.sequences(batch)
        return {"text": text, "audio": audio, "vision": vision}


class MFNConfig(MemoryConfig):
    """Sizes of the attention and of the head."""

    attention_width: int = Field(32, ge=1, description="hidden layer of the delta-memory attention")
    attention_dropout: float = Field(0.2, ge=0, lt=1, description="dropout of the attention")
    head_width: int = Field(128, ge=1, description="hidden layer of the head")
    head_dropout: float = Field(0.0, ge=0, lt=1, description="dropout of the head")

    def fusion(self, widths_in: Mapping[str, int]) -> MemoryFusion:
        """The memory fusion of modalities of these widths."""
        attention = Inner(self.attention_width, self.attention_dropout)
        return MemoryFusion(widths_in, self.states(), attention, self.sizes())


@BASELINES.register(
    "mfn",
    config=MFNConfig,
    paper="Zadeh et al. 2018, Memory Fusion Network, arXiv 1802.00927, system of LSTMs, delta-memory "
    "attention network and multi-view gated memory",
    tiny={**TINY_MEMORY, "attention_width": 4, "head_width": 4},
    space={
        **MEMORY_SPACE,
        "attention_width": IntSpace(low=32, high=256, log=True),
        "attention_dropout": FloatSpace(low=0, high=0.7),
        "head_width": IntSpace(low=32, high=256, log=True),
        "head_dropout": FloatSpace(low=0, high=0.7),
    },
)
class MFN(MemoryBaseline):
    """Memory fusion of aligned modalities, then a head of two layers."""

    def __init__(self, config: MFNConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.fusion = config.fusion(self.widths_in)
        self.head = two_layers(self.fusion.width, Inner(config.head_width, config.head_dropout), 1)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), and the last states of the LSTMs beside the memory (B, Ht + Ha + Hv + M)."""
        fused = self.fusion(self.named(batch))
        return Outputs(self.head(fused).squeeze(1), embedding=fused)
