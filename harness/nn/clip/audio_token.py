"""A clip's sound as one token."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import gelu

from harness.types import Padded


class AudioToken(nn.Module):
    """Two convolutions over time, each of stride 2 and with GELU, the mean over steps, a linear map.

    Padding does not change it: beyond the last step all is zero before every convolution, as it is
    beyond the edge. A clip without sound gets the bias of the linear map, a learned silence.

    Args:
        bands: width of the sound, such as mel bands.
        width: D of the token.
    """

    def __init__(self, bands: int, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList([_halving(bands, width), _halving(width, width)])
        self.outer = nn.Linear(width, width)

    def forward(self, sound: Padded) -> Tensor:
        """(B, D) of sound (B, T, bands)."""
        for convolution in self.convolutions:
            sound = _halved(sound, convolution)
        return self.outer(sound.mean())


def _halving(width_in: int, width: int) -> nn.Conv1d:
    return nn.Conv1d(width_in, width, kernel_size=3, stride=2, padding=1)


def _halved(sound: Padded, convolution: nn.Module) -> Padded:
    values = gelu(convolution(sound.values.transpose(1, 2))).transpose(1, 2)
    mask = sound.mask[:, ::2]
    return Padded(values.masked_fill(~mask.unsqueeze(2), 0), mask)
