"""One modality of kernel canonical correlation: landmarks, and what a clip's likeness to them counts."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from harness.nn.compare.geometry import units
from harness.nn.retrieval.covariances import doubled
from harness.nn.retrieval.kernels import (
    KernelName,
    Points,
    inverse_factor,
    kernel,
    median_distance,
    own_order,
    pivots,
)
from harness.spec import BadInput

Approximation = Literal["nystroem", "incomplete_cholesky"]


class KernelSide(nn.Module):
    """Vectors (B, D) to (B, W): k(x, landmarks) · dual - offset, fitted in two steps.

    `features` chooses landmarks and tells what the training clips are in their span; canonical
    directions in that span are then kept by `keep` as duals, weights of the landmarks. Buffers have room
    for `landmarks` of them, of which the first `used` count.
    """

    mean: Tensor
    scale: Tensor
    landmarks: Tensor
    dual: Tensor
    offset: Tensor
    used: Tensor

    def __init__(self, size: int, width: int, landmarks: int, name: KernelName) -> None:
        super().__init__()
        self._name: KernelName = name
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("landmarks", torch.zeros(landmarks, size))
        self.register_buffer("dual", torch.zeros(landmarks, width))
        self.register_buffer("offset", torch.zeros(width))
        self.register_buffer("used", torch.tensor(0))

    def features(
        self, rows: Tensor, approximation: Approximation, bandwidth: float
    ) -> tuple[Tensor, Tensor]:
        """(n, R) features of training clips (n, D), and (R, R) what makes them of kernels; both double.

        Raises:
            BadInput: the rows are all the same, so that they have no distance.
        """
        rows = doubled(rows)
        own = rows[own_order(rows)]
        self._normalise(own, bandwidth)
        points = self._points(own)
        if approximation == "nystroem":
            points = points.at(torch.arange(min(len(own), len(self.landmarks))))
        chosen = points.at(pivots(self._name, points, len(self.landmarks)))
        self.used.fill_(len(chosen))
        self.landmarks.zero_()[: len(chosen)] = chosen.vectors.to(self.landmarks)
        whitening = inverse_factor(self._name, chosen)
        return kernel(self._name, self._points(rows), chosen) @ whitening, whitening

    def keep(self, whitening: Tensor, weights: Tensor, mean: Tensor) -> None:
        """Keeps directions (R, W) of the features (n, R), whose mean is (R,)."""
        self.dual.zero_()[: len(whitening)] = (whitening @ weights).to(self.dual)
        self.offset.copy_(mean @ weights)

    def forward(self, rows: Tensor) -> Tensor:
        """(B, W) of rows (B, D)."""
        used = int(self.used)
        landmarks = Points.of(self.landmarks[:used])
        return kernel(self._name, self._points(rows), landmarks) @ self.dual[:used] - self.offset

    def fitted_parameters(self) -> int:
        """Landmarks, their duals, the offset, and what rows are normalised by."""
        used = int(self.used)
        per_landmark = self.landmarks.shape[1] + self.dual.shape[1]
        return used * per_landmark + self.offset.numel() + self.mean.numel() + 1

    def _points(self, rows: Tensor) -> Points:
        if self._name == "cosine":
            return Points.of(units(rows))
        return Points.of((rows - self.mean.to(rows)) * self.scale.to(rows))

    def _normalise(self, rows: Tensor, bandwidth: float) -> None:
        """Centres, which no kernel but the cosine sees after centring, and scales to the bandwidth."""
        distance = median_distance(rows)
        if distance == 0:
            raise BadInput(f"the features of all {len(rows)} training clips are the same")
        self.mean.copy_(rows.mean(0))
        self.scale.fill_(1 / (2**0.5 * bandwidth * distance))
