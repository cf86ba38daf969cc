"""A vector a modality: the sub-networks that LF-DNN, TFN and LMF fuse the vectors of."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from baselines.sentiment.base import Baseline
from baselines.sentiment.config import TEXT_SPACE, BaselineConfig
from harness.nn.sequence import MeanState, ProjectedState
from harness.spec import FloatSpace, Space
from harness.types import Batch, DataInfo

VECTORS_SPACE: dict[str, Space] = {
    **TEXT_SPACE,
    "dropout": FloatSpace(low=0, high=0.5),
    "text_dropout": FloatSpace(low=0, high=0.5),
}
"""What a search tries for the fields that are no widths; those are each model's own."""


class VectorsConfig(BaselineConfig):
    """Sizes of the sub-networks."""

    text_hidden: int = Field(32, ge=1, description="width of the LSTM that reads the text")
    text_width: int = Field(32, ge=1, description="width of the text vector")
    vision_width: int = Field(32, ge=1, description="width of the vision vector")
    audio_width: int = Field(16, ge=1, description="width of the audio vector")
    dropout: float = Field(0.2, ge=0, lt=1, description="of normalised vision and audio inputs")
    text_dropout: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="of the last state of the text; 0 = as MMSA, which never applies its own",
    )


class VectorsBaseline(Baseline):
    """Text through an LSTM and a layer, vision and audio through nets on their means over time."""

    def __init__(self, config: VectorsConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.text_vector = ProjectedState(
            self.text.width, config.text_hidden, config.text_width, config.text_dropout
        )
        self.vision_vector = MeanState(info.width("vision"), config.vision_width, config.dropout)
        self.audio_vector = MeanState(info.width("audio"), config.audio_width, config.dropout)

    def vectors(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Text (B, Dt), vision (B, Dv) and audio (B, Da)."""
        text, vision, audio = self.sequences(batch)
        return self.text_vector(text), self.vision_vector(vision), self.audio_vector(audio)
