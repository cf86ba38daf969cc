"""Similarity-preserving distillation: which clips of a batch resemble which."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.nn.compare.geometry import products, rescaled, units
from harness.nn.compare.pair import costs_nothing, pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class SimilarityPreservingConfig(LossConfig):
    """No parameters."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    relational: ClassVar[bool] = True


@LOSSES.register(
    "similarity_preserving",
    config=SimilarityPreservingConfig,
    paper="Tung and Mori, ICCV 2019, arXiv 1907.09682, equation 4",
    tiny={},
    space={"weight": FloatSpace(low=1, high=1000, log=True)},
)
class SimilarityPreserving(nn.Module):
    """|G_T - G_S|_F^2 / B^2, G the matrix Q Q' of a batch's embeddings with rows of length one.

    It does not change with rotations and a common scale of either side's embeddings. A zero embedding
    resembles nothing: its row is zero.
    """

    def __init__(self, config: SimilarityPreservingConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        if len(student) < 2:
            return costs_nothing(student)
        return (_similarities(student) - _similarities(teacher)).square().mean()


def _similarities(embedding: Tensor) -> Tensor:
    vectors = rescaled(embedding)
    return units(products(vectors, vectors))
