"""Cross-entropy of the event class, from the sound and from the pictures of a clip."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs

PARTS = ("audio_class_logits", "vision_class_logits")


class ModalCEConfig(LossConfig):
    """No parameters: the classifier belongs to the model."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(PARTS)
    labels: ClassVar[bool] = True


@LOSSES.register(
    "modal_ce",
    config=ModalCEConfig,
    paper="Wang et al., MM 2017, ACMR, doi 10.1145/3123266.3123326 (intra-modal discrimination)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class ModalCE(nn.Module):
    """The cross-entropy of each modality's class logits with the clip's class, mean over the two.

    The paper sums the two. From memory: only the public code of ACMR was read, not its paper.
    """

    def __init__(self, config: ModalCEConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from logits (B, K) of each modality and target (B,)."""
        audio, vision = (precise(outputs.part(name)) for name in PARTS)
        return (cross_entropy(audio, batch.target) + cross_entropy(vision, batch.target)) / 2
