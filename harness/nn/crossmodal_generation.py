"""A modality as cross-modal states make it up, and where something is missing from it.

Letters: B clips, T steps, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.nn.crossmodal import CrossModalTransformers
from harness.nn.crossmodal_block import TransformerOptions
from harness.nn.crossmodal_steps import fitted
from harness.types import Padded


class Generator(nn.Module):
    """A modality from states (B, T, 3 D), as long as the longest sequence there can be.

    Yuan et al. 2021, doi 10.1145/3474085.3475585, its reconstruction: features ask each other.

    Args:
        options: of a transformer whose width is that length.
        dropout: on its attention.
        widths: 3 D, and that of the modality.
        among_clips: whether clips ask each other, feature by feature, in place of features.
    """

    def __init__(
        self,
        options: TransformerOptions,
        dropout: float,
        widths: tuple[int, int],
        *,
        among_clips: bool,
    ) -> None:
        super().__init__()
        self.steps = options.width
        self.order = (2, 0, 1) if among_clips else (0, 2, 1)
        self.transformer = CrossModalTransformers([(0, 0)], options, [dropout])
        self.linear = nn.Linear(*widths)

    def forward(self, states: Padded) -> Tensor:
        """(B, steps, width) of the modality.

        Raises:
            ValueError: a clip is longer.
        """
        if states.mask[:, self.steps :].any():
            longest = int(states.lengths.max())
            raise ValueError(f"expected sequences of up to {self.steps} steps, given {longest}")
        features = fitted(states.values, self.steps).permute(self.order)
        everything = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        found = self.transformer([Padded(features, everything)])[0].values
        back = (1, 2, 0) if self.order == (2, 0, 1) else self.order
        return self.linear(found.permute(back))


def steps_missing(now: Padded, intact: Padded) -> Tensor:
    """(B, T) steps of `intact` that are no longer what they were, or no longer there."""
    steps = intact.mask.shape[1]
    values, whole = (each.values.reshape(*each.mask.shape, -1) for each in (now, intact))
    there = fitted(now.mask.unsqueeze(2), steps).squeeze(2)
    return intact.mask & ~(there & (fitted(values, steps) == whole).all(2))
