"""Error of an imagined representation of the complete clip."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import mse_loss

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class ImaginationConfig(LossConfig):
    """No parameters."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset({"imagined", "complete"})


@LOSSES.register(
    "imagination",
    config=ImaginationConfig,
    paper="Zhao, Li and Jin 2021, Missing Modality Imagination Network, 2021.acl-long.203, "
    "forward imagination",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class Imagination(nn.Module):
    """The mean squared error between what is imagined of a clip and what there is of the intact one.

    The mean over features and clips. The truth does not move towards what is imagined.
    """

    def __init__(self, config: ImaginationConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the imagined and the complete representation (B, D)."""
        complete = outputs.part("complete").detach()
        return mse_loss(precise(outputs.part("imagined")), precise(complete))
