"""Classical knowledge distillation: the teacher's softened class probabilities."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import kl_div

from harness.nn.compare.pair import pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class KLConfig(LossConfig):
    """How soft both sides are."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})

    temperature: float = Field(4.0, gt=0, description="T, by which both sides' logits are divided")


@LOSSES.register(
    "kl",
    config=KLConfig,
    paper="Hinton et al. 2015, arXiv 1503.02531, equation 1 and section 2",
    tiny={},
    space={
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "temperature": FloatSpace(low=1, high=16, log=True),
    },
)
class KL(nn.Module):
    """T^2 KL(softmax(teacher / T) || softmax(student / T)) over the class logits.

    The factor T^2 keeps the size of the gradients when the temperature changes (section 2 there).
    """

    def __init__(self, config: KLConfig, info: DataInfo) -> None:
        super().__init__()
        self.temperature = config.temperature

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's and the teacher's class_logits (B, K)."""
        student, teacher = (
            (logits / self.temperature).log_softmax(1)
            for logits in pair("class_logits", outputs, advice)
        )
        divergence = kl_div(student, teacher, reduction="batchmean", log_target=True)
        return self.temperature**2 * divergence
