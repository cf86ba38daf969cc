"""Error of the way back from an imagined representation to the one that it was imagined from."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import mse_loss

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class CycleConfig(LossConfig):
    """No parameters."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset({"available", "returned"})


@LOSSES.register(
    "cycle",
    config=CycleConfig,
    paper="Zhao, Li and Jin 2021, Missing Modality Imagination Network, 2021.acl-long.203, "
    "backward imagination",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class Cycle(nn.Module):
    """The mean squared error between what was available of a clip and what is imagined back of it.

    The mean over features and clips. What was available does not move towards what comes back.
    """

    def __init__(self, config: CycleConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the available and the returned representation (B, D)."""
        available = outputs.part("available").detach()
        return mse_loss(precise(outputs.part("returned")), precise(available))
