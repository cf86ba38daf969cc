"""Probabilistic knowledge transfer: how likely a clip is another's neighbour."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import kl_div

from harness.nn.compare.geometry import others, products, units
from harness.nn.compare.pair import costs_nothing, pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

# Keeps the log finite where all neighbours are opposite.
SMALLEST_KERNEL = 1e-7


class PKTConfig(LossConfig):
    """No parameters: the cosine kernel has no width."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    relational: ClassVar[bool] = True


@LOSSES.register(
    "pkt",
    config=PKTConfig,
    paper="Passalis and Tefas, ECCV 2018, arXiv 1803.10837, section 3 (cosine kernel, KL divergence)",
    tiny={},
    space={"weight": FloatSpace(low=1, high=100, log=True)},
)
class PKT(nn.Module):
    """KL between both sides' p(j | i) = K(i, j) / sum_k K(i, k), k != i, with K = (cos + 1) / 2.

    The mean over the batch's clips i of the divergence of the student's neighbours j from the
    teacher's; the paper sums over i. It does not change with rotations or with the length of any
    embedding. Two clips have one neighbour each: they cost nothing.
    """

    def __init__(self, config: PKTConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        if len(student) < 2:
            return costs_nothing(student)
        return kl_div(_neighbours(student), _neighbours(teacher), reduction="batchmean", log_target=True)


def _neighbours(embedding: Tensor) -> Tensor:
    """(B, B - 1) logs of the probabilities of the other clips, clip by clip."""
    directions = units(embedding)
    kernel = (others(products(directions, directions)) + 1) / 2
    kernel = kernel.clamp(min=0) + SMALLEST_KERNEL
    return (kernel / kernel.sum(1, keepdim=True)).log()
