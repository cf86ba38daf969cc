"""Mixing a cube of steps, modalities and channels along its axes."""

from __future__ import annotations

from torch import Tensor, nn

from harness.nn.dropout import BitDropout

Sizes = tuple[int, int, int]
"""Steps, modalities and channels of a cube."""


class AxisMix(nn.Module):
    """Layer norm, linear, GELU, linear along one axis, beside a linear shortcut.

    One unit of CubeMLP (Sun et al. 2022, arXiv 2207.14087, section 3.2): the affine maps act on the
    numbers along the axis, the same for all places of the others. Its hidden layer is as wide as what
    it gives, as in the authors' configurations.
    """

    def __init__(self, axis: int, before: int, after: int, dropout: float) -> None:
        super().__init__()
        self.axis = axis
        self.norm = nn.LayerNorm(before, eps=1e-6)
        self.mix = nn.Sequential(nn.Linear(before, after), nn.GELU(), nn.Linear(after, after))
        self.shortcut = nn.Linear(before, after, bias=False)
        self.dropout = BitDropout(dropout)

    def forward(self, cube: Tensor) -> Tensor:
        """The cube (B, L, M, D) with another size along the axis."""
        last = cube.movedim(self.axis, -1)
        mixed: Tensor = self.dropout(self.mix(self.norm(last))) + self.shortcut(last)
        return mixed.movedim(-1, self.axis)


class CubeBlock(nn.Sequential):
    """Steps, then modalities, then channels of (B, L, M, D) mixed, each to its new size."""

    def __init__(self, before: Sizes, after: Sizes, dropout: float) -> None:
        super().__init__(*(AxisMix(at + 1, before[at], after[at], dropout) for at in range(3)))
