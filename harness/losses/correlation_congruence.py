"""Correlation congruence: a Gaussian kernel between the clips of a batch."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import products, units
from harness.nn.compare.pair import costs_nothing, pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, IntSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class CorrelationCongruenceConfig(LossConfig):
    """The kernel and how far it is expanded."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    relational: ClassVar[bool] = True

    gamma: float = Field(0.4, gt=0, description="of the kernel e^(-gamma |x - y|^2); higher is narrower")
    order: int = Field(2, ge=1, le=16, description="P, the highest power of the Taylor expansion")


@LOSSES.register(
    "correlation_congruence",
    config=CorrelationCongruenceConfig,
    paper="Peng et al., ICCV 2019, arXiv 1904.01802, Gaussian RBF kernel by Taylor expansion",
    tiny={},
    space={
        "weight": FloatSpace(low=1, high=100, log=True),
        "gamma": FloatSpace(low=0.05, high=2, log=True),
        "order": IntSpace(low=1, high=4),
    },
)
class CorrelationCongruence(nn.Module):
    """|C_T - C_S|_F^2 / B^2, C the Gaussian kernel of a batch's embeddings, expanded to order P.

    On vectors x, y of length one the kernel e^(-gamma |x - y|^2) is e^(-2 gamma) e^(2 gamma x'y), and
    C_xy = sum_{p <= P} e^(-2 gamma) (2 gamma)^p / p! (x'y)^p. It does not change with rotations or
    with the length of any embedding.
    """

    def __init__(self, config: CorrelationCongruenceConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        if len(student) < 2:
            return costs_nothing(student)
        return (self._kernel(student) - self._kernel(teacher)).square().mean()

    def _kernel(self, embedding: Tensor) -> Tensor:
        directions, double = units(embedding), 2 * self.config.gamma
        cosines = products(directions, directions)
        found = cosines.new_ones(cosines.shape)
        for power in range(1, self.config.order + 1):
            found = found + double**power / math.factorial(power) * cosines**power
        return math.exp(-double) * found
