"""How far the sound of a clip is from its pictures."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.linalg import vector_norm

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class PairDistanceConfig(LossConfig):
    """No parameters."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"audio_embedding", "vision_embedding"})


@LOSSES.register(
    "pair_distance",
    config=PairDistanceConfig,
    paper="Zhen et al., CVPR 2019, DSCMR, loss of modality invariance (J3)",
    tiny={},
    space={"weight": FloatSpace(low=0.01, high=10, log=True)},
)
class PairDistance(nn.Module):
    """The mean over clips of |u - v|, u the embedding of the sound and v that of the pictures.

    Lengths count, and all vectors in one place cost nothing: it is for use beside a loss that reads
    labels. A clip whose vectors agree is not pulled. The mean of each clip's distance as in the
    public code; the paper, from memory, divides the Frobenius norm of the batch by its size.
    """

    def __init__(self, config: PairDistanceConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from audio_embedding (B, D) and vision_embedding (B, D)."""
        audio, vision = (precise(outputs.tensor(n)) for n in ("audio_embedding", "vision_embedding"))
        return vector_norm(audio - vision, dim=1).mean()
