"""Multi-frame integration: a sequence of frame vectors becomes one vector of the clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.nn.attention import SelfAttention
from harness.nn.mlp import mlp
from harness.spec import BadInput
from harness.types import Padded

POSITION_SD = 0.02


class Integration(nn.Module):
    """One pre-LN transformer layer with learned positions, and a residual around it without them.

    X-CLIP (Ni et al. 2022, arXiv 2208.02816), section 3.2, where a clip's vector is the mean over the
    states that this gives: state = block(x + position) + x.

    Args:
        width: D.
        positions: the longest sequence that there is a position for.
    """

    def __init__(self, width: int, positions: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(positions, width) * POSITION_SD)
        self.norm_attention = nn.LayerNorm(width)
        self.attention = SelfAttention(width)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = mlp((width, 4 * width, width))

    def forward(self, steps: Padded) -> Padded:
        """The states (B, S, D) of steps (B, S, D).

        Raises:
            BadInput: a clip has more steps than there are positions.
        """
        count = steps.mask.shape[1]
        if count > len(self.positions):
            raise BadInput(
                f"expected at most {len(self.positions)} steps a clip, for which positions are learned, "
                f"found {count}; raise max_frames, or take fewer frames with frames_used",
                key="max_frames",
            )
        states = self._block(steps.values + self.positions[:count], steps.mask) + steps.values
        return Padded(states.masked_fill(~steps.mask.unsqueeze(2), 0), steps.mask)

    def _block(self, steps: Tensor, mask: Tensor) -> Tensor:
        steps = steps + self.attention(self.norm_attention(steps), mask)
        return steps + self.mlp(self.norm_mlp(steps))
