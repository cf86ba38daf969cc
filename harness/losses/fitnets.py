"""FitNets: a projection of the student's embedding is regressed to the teacher's."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.nn.compare.pair import pair
from harness.nn.compare.projection import Projection
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class FitNetsConfig(LossConfig):
    """No parameters; the widths are those of the embeddings."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})


@LOSSES.register(
    "fitnets",
    config=FitNetsConfig,
    paper="Romero et al., ICLR 2015, arXiv 1412.6550, equation 3",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class FitNets(nn.Module):
    """MSE(W s + b, t) of the student's embedding s and the teacher's embedding t.

    The regressor (W, b) is learned with the student and no part of it; it is linear and always there,
    also between equal widths. The paper halves the squared norm; the mean over the teacher's width
    keeps the weight's meaning from teacher to teacher. The paper trains hints first and the task
    after; here both are terms of one sum.
    """

    def __init__(self, config: FitNetsConfig, info: DataInfo) -> None:
        super().__init__()
        self.projection = Projection()

    def adapt(self, outputs: Outputs, advice: Outputs | None, clips: Batch) -> None:
        """Makes the projection between the widths of the two embeddings (B, D) and (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        self.projection.between(student.shape[1], teacher.shape[1])

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        return (self.projection(student) - teacher).square().mean()
