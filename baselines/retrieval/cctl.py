"""CCTL-style: sounds and pictures are compared by the labels that they predict."""

from __future__ import annotations

from pydantic import Field
from torch import nn
from torch.nn.functional import relu

from harness.nn.retrieval.told import LABELS
from harness.nn.retrieval.towers import Towers, TowersConfig
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs


class CCTLConfig(TowersConfig):
    """Sizes of the projections; the embeddings are of as many numbers as there are classes."""

    width: int = Field(64, ge=2, le=4096, description="D of the features that predict the labels")

    def parts(self) -> frozenset[str]:
        """Predicted labels, which are the embeddings themselves."""
        return LABELS


@BASELINES.register(
    "cctl",
    config=CCTLConfig,
    paper="CCTL-style: Zeng et al., ISM 2022, arXiv 2211.03434 (abstract)",
    tiny={"width": 4, "hidden": 8},
    space={
        "width": IntSpace(low=16, high=256, log=True),
        "hidden": IntSpace(low=64, high=512, log=True),
        "layers": IntSpace(low=1, high=3),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class CCTL(nn.Module):
    """Two towers into the label space: an embedding is the K numbers that predict the label.

    To be trained on `label_regression` (towards the one-hot label) and `cross_triplet` with `within`
    (triplets of all four ways between and within modalities).

    -style: of the paper its abstract was read; the layers are ours, each modality has its own.
    """

    def __init__(self, config: CCTLConfig, info: DataInfo) -> None:
        super().__init__()
        self.towers = Towers(config, info)
        self.dropout = nn.Dropout(config.dropout)
        self.audio = nn.Linear(config.width, len(info.classes))
        self.vision = nn.Linear(config.width, len(info.classes))

    def forward(self, batch: Batch) -> Outputs:
        """Both vectors (B, K); in training, the same as predicted labels."""
        audio, vision = (self.dropout(relu(features)) for features in self.towers(batch))
        audio, vision = self.audio(audio), self.vision(vision)
        parts = {}
        if self.training:
            parts = {"audio_class_logits": audio, "vision_class_logits": vision}
        return Outputs(audio_embedding=audio, vision_embedding=vision, parts=parts)
