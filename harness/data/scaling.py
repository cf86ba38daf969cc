"""Standardising feature views by what the training clips show."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from harness.types import Dataset, Padded

Standardise = Literal["none", "train"]

_FEATURES = ("text", "vision", "audio")


def standardise(data: Dataset) -> Dataset:
    """The same clips with every feature column at mean 0 and sd 1 over the steps of train.

    Columns that are constant in train are divided by 1. Steps that do not exist stay zero.
    """
    scales = {
        view: fit(features) for view in _FEATURES if (features := getattr(data.train, view)) is not None
    }
    splits = {
        split: replace(batch, **{view: apply(getattr(batch, view), *scales[view]) for view in scales})
        for split, batch in (("train", data.train), ("valid", data.valid), ("test", data.test))
    }
    return replace(data, **splits)


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
