"""EICS-style encoders: an explicit common space and an implicit one, side by side."""

from __future__ import annotations

from typing import Self

from pydantic import Field
from torch import nn

from harness.nn.retrieval.told import LABELS, labels, told, whole
from harness.nn.retrieval.towers import Towers, TowersConfig
from harness.spec import FloatSpace, IntSpace, OutputName, Space
from harness.types import Batch, DataInfo, Outputs

SPACE: dict[str, Space] = {
    "width": IntSpace(low=16, high=128, step=2),
    "hidden": IntSpace(low=64, high=512, log=True),
    "layers": IntSpace(low=1, high=3),
    "dropout": FloatSpace(low=0, high=0.5),
}


class DualSpacesConfig(TowersConfig):
    """Sizes of the four towers."""

    width: int = Field(
        64, ge=2, le=4096, multiple_of=2, description="D of the embeddings, half of it in each space"
    )

    def gives(self) -> frozenset[OutputName]:
        """Also the clip as a whole, for losses that compare clips with each other."""
        return super().gives() | {"embedding"}

    def parts(self) -> frozenset[str]:
        """The explicit codes, and class logits of the implicit ones."""
        return LABELS | {"audio_explicit", "vision_explicit"}

    def halved(self) -> Self:
        """Half the hidden units and half the width of each space."""
        return self.model_copy(
            update={"hidden": max(2, self.hidden // 2), "width": max(2, self.width // 4 * 2)}
        )


class DualSpaces(nn.Module):
    """Two codes of the sound and two of the pictures; an embedding is both, each one long.

    The explicit codes (B, D / 2) are for a loss that pulls the sound of a clip to its pictures; one
    linear layer tells the class from the implicit codes of both modalities, in training. The cosine
    of two embeddings is the mean of the cosines in the two spaces.

    -style: of the paper its abstract was read; towers, widths and classifier are ours.
    """

    def __init__(self, config: DualSpacesConfig, info: DataInfo) -> None:
        super().__init__()
        half = config.width // 2
        self.explicit = Towers(config, info, half)
        self.implicit = Towers(config, info, half)
        self.classifier = nn.Linear(half, len(info.classes))

    def forward(self, batch: Batch) -> Outputs:
        """Both vectors (B, D), the clip (B, 2 D); in training, codes (B, D / 2) and logits (B, K)."""
        (audio, vision), (own_audio, own_vision) = self.explicit(batch), self.implicit(batch)
        parts = {}
        if self.training:
            parts = {"audio_explicit": audio, "vision_explicit": vision}
            parts |= labels(self.classifier, own_audio, own_vision)
        return told(whole(audio, own_audio), whole(vision, own_vision), parts)
