"""Sequences before and after cross-modal transformers: convolved, begun, and of a fixed length.

Letters: B clips, T steps, D features.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

from harness.types import Padded


class StepConvolution(nn.Module):
    """A convolution over steps without bias, (B, T, D) to (B, T', D'), T' at least 1.

    Tsai et al. 2019, arXiv 1906.00295, equation 1. Beside a clip's existing steps are zeros. With
    ``kept`` ends a clip has as many steps as before; with ``cut`` ends those at which the whole kernel
    lies on steps, and one if it is longer than the clip: that one sees the clip and zeros after it. A
    clip without a step counts as one step of zeros.
    """

    def __init__(self, width_in: int, width: int, kernel: int, ends: Literal["kept", "cut"]) -> None:
        super().__init__()
        self.kernel, self.ends = kernel, ends
        convolution = nn.Conv1d(width_in, width, kernel, bias=False)
        self.weight = convolution.weight

    def forward(self, sequence: Padded) -> Padded:
        """The steps that there are afterwards; the rest is zero."""
        values, lengths = sequence.values.transpose(1, 2), sequence.lengths
        if self.ends == "kept":
            values = pad(values, ((self.kernel - 1) // 2, self.kernel // 2))
        else:
            values = pad(values, (0, max(0, self.kernel - values.shape[2])))
            lengths = lengths - (self.kernel - 1)
        found = conv1d(values, self.weight).transpose(1, 2)
        step = torch.arange(found.shape[1], device=found.device)
        mask = step < lengths.clamp(min=1).unsqueeze(1)
        return Padded(found.masked_fill(~mask.unsqueeze(2), 0), mask)


def started(sequence: Padded) -> Padded:
    """The sequence (B, T, D), in which a clip without a step has one of zeros."""
    first = torch.zeros_like(sequence.mask)
    first[:, 0] = True
    return Padded(sequence.values, sequence.mask | first)


def fitted(values: Tensor, steps: int) -> Tensor:
    """(B, `steps`, D): zeros are put after (B, T, D), or what is beyond is cut."""
    return pad(values, (0, 0, 0, steps - values.shape[1]))
