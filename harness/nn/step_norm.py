"""Batch normalisation whose channels are the steps of a sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.types import Padded


class StepNorm(nn.BatchNorm1d):
    """Each step of (B, T, D) normalised over clips and features, padding left out and left zero.

    Batch normalisation (arXiv 1502.03167) of T channels, as MMSA's EF-LSTM has it; of clips of full
    length it is that of torch. A step that no clip of a training batch has is as in evaluation.

    Args:
        steps: T of the longest sequence there can be.
    """

    running_mean: Tensor
    running_var: Tensor

    def forward(self, sequence: Padded) -> Padded:  # type: ignore[override]
        """The normalised sequence, of at most `steps` steps.

        Raises:
            ValueError: a clip is longer than that.
        """
        if sequence.mask[:, self.num_features :].any():
            longest = int(sequence.lengths.max())
            raise ValueError(f"expected sequences of up to {self.num_features} steps, given {longest}")
        values = sequence.values[:, : self.num_features]
        mask = sequence.mask[:, : self.num_features].unsqueeze(2)
        mean, variance = self._statistics(values, mask)
        steps = values.shape[1]
        scale = self.weight[:steps] * (variance + self.eps).rsqrt()
        shift = self.bias[:steps] - mean * scale
        found = torch.addcmul(shift.unsqueeze(1), values, scale.unsqueeze(1))
        return Padded(found.masked_fill(~mask, 0), mask.squeeze(2))

    def _statistics(self, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (T,) that each step is normalised by."""
        steps, width = values.shape[1:]
        kept = self.running_mean[:steps], self.running_var[:steps]
        if not self.training:
            return kept
        count = mask.sum((0, 2)) * width
        mean = values.sum((0, 2)) / count.clamp(min=1)
        spread = (values - mean.unsqueeze(1)).square().masked_fill(~mask, 0).sum((0, 2))
        self._keep(count, mean.detach(), spread.detach())
        is_there, variance = count > 0, spread / count.clamp(min=1)
        return torch.where(is_there, mean, kept[0]), torch.where(is_there, variance, kept[1])

    def _keep(self, count: Tensor, mean: Tensor, spread: Tensor) -> None:
        """Moves the running statistics of the steps that are there, the variance without bias."""
        pace = torch.where(count > 1, self.momentum or 0.0, 0.0)
        steps = len(pace)
        self.running_mean[:steps].lerp_(mean, pace)
        self.running_var[:steps].lerp_(spread / (count - 1).clamp(min=1), pace)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
