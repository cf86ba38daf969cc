"""ACMR: towers that an adversary cannot tell apart."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from harness.nn.mlp import mlp
from harness.nn.retrieval.told import LABELS, labels
from harness.nn.retrieval.towers import TowersConfig, pooled
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs


class ACMRConfig(TowersConfig):
    """Sizes of the feature projectors."""

    layers: int = Field(3, ge=1, le=8, description="linear layers of a tower, the last one included")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of hidden units dropped in training")

    def parts(self) -> frozenset[str]:
        """Class logits of each modality."""
        return LABELS


@BASELINES.register(
    "acmr",
    config=ACMRConfig,
    paper="Wang et al., MM 2017, Adversarial Cross-Modal Retrieval, doi 10.1145/3123266.3123326",
    tiny={"width": 4, "hidden": 8},
    space={
        "width": IntSpace(low=16, high=256, log=True),
        "hidden": IntSpace(low=64, high=512, log=True),
        "layers": IntSpace(low=2, high=4),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class ACMR(nn.Module):
    """Feature projectors of hyperbolic tangents, and one linear predictor of labels for both.

    To be trained on `modal_ce` (label prediction), `cross_triplet` (between modalities) and
    `modality_adversarial`, to which the modality classifier belongs. Embeddings lie in (-1, 1)^D, so
    that the opponent is not fooled by their lengths alone.

    From memory and from public code, the paper could not be had. That code's hidden layers narrow
    (512, then 100), here they are of one width; in its training step for triplets the projectors do
    not hear of the adversary, here they do.
    """

    def __init__(self, config: ACMRConfig, info: DataInfo) -> None:
        super().__init__()
        inner = [config.hidden] * (config.layers - 1)
        self.audio = mlp([info.width("audio"), *inner, config.width], config.dropout, nn.Tanh)
        self.vision = mlp([info.width("vision"), *inner, config.width], config.dropout, nn.Tanh)
        self.classifier = nn.Linear(config.width, len(info.classes))

    def forward(self, batch: Batch) -> Outputs:
        """Both vectors (B, D) and, in training, class logits of each (B, K)."""
        audio: Tensor = self.audio(pooled(batch.audio)).tanh()
        vision: Tensor = self.vision(pooled(batch.vision)).tanh()
        parts = labels(self.classifier, audio, vision) if self.training else {}
        return Outputs(audio_embedding=audio, vision_embedding=vision, parts=parts)
