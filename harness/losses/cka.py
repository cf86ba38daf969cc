"""Linear centred kernel alignment of the embeddings of a batch."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.nn.compare.geometry import centred, products, rescaled, units
from harness.nn.compare.pair import costs_nothing, pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class CKAConfig(LossConfig):
    """No parameters."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    relational: ClassVar[bool] = True


@LOSSES.register(
    "cka",
    config=CKAConfig,
    paper="Kornblith et al., ICML 2019, arXiv 1905.00414, equation 4, linear kernel",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class CKA(nn.Module):
    """1 - |Y' X|_F^2 / (|X' X|_F |Y' Y|_F) of the embeddings X and Y, centred over the batch.

    It does not change with orthogonal maps, shifts and a common scale of either side. The paper
    measures with it; as a loss, over small batches, it is biased towards 0 (two clips cost nothing).
    Embeddings that are equal for all clips align with nothing: they cost 1 and do not pull.
    """

    def __init__(self, config: CKAConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar in [0, 1] from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        if len(student) < 2:
            return costs_nothing(student)
        return 1 - (_kernel(student) * _kernel(teacher)).sum()


def _kernel(embedding: Tensor) -> Tensor:
    """(B * B,) the centred kernel matrix as a vector of length one."""
    spread = rescaled(centred(embedding, 0))
    return units(products(spread, spread).flatten())
