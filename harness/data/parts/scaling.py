"""Standardising feature views by what the training clips show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from harness.types import Batch, Dataset, Padded

Standardise = Literal["none", "train"]

_FEATURES = ("text", "vision", "audio")


def standardise(data: Dataset) -> Dataset:
    """The same clips with every feature column at mean 0 and sd 1 over the steps of train.

    Columns that are constant in train are divided by 1. Steps that do not exist stay zero.
    """
    found = {view: getattr(data.train, view) for view in _FEATURES}
    scales = {view: fit(features) for view, features in found.items() if features is not None}
    train, valid, test = (_scaled(batch, scales) for batch in (data.train, data.valid, data.test))
    return replace(data, train=train, valid=valid, test=test, scales=scales)


def like_train(data: Dataset, view: str, features: Padded) -> Padded:
    """Features of further clips, standardised as that view of the data set is, if it is."""
    return apply(features, *data.scales[view]) if view in data.scales else features


def fit(features: Padded) -> tuple[Tensor, Tensor]:
    """Mean and sd (D,) over the existing steps, in float64; the sd of a constant column is 1."""
    steps = features.values[features.mask].double()
    sd, mean = torch.std_mean(steps, dim=0, correction=0)
    # Compared by range: the sd of a constant column is a rounding error, not zero.
    constant = steps.amax(0) == steps.amin(0)
    return mean, torch.where(constant, 1.0, sd)


def apply(features: Padded, mean: Tensor, sd: Tensor) -> Padded:
    """Features (B, T, D) less the mean, over the sd; zero where no step exists."""
    scaled = ((features.values.double() - mean) / sd).to(features.values.dtype)
    return replace(features, values=torch.where(features.mask[..., None], scaled, 0))


def _scaled(batch: Batch, scales: Mapping[str, tuple[Tensor, Tensor]]) -> Batch:
    changed: dict[str, Any] = {
        view: apply(getattr(batch, view), mean, sd) for view, (mean, sd) in scales.items()
    }
    return replace(batch, **changed)
