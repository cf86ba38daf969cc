"""Scaling feature views by what the training clips show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from harness.data.parts.scaling import apply, standardise
from harness.types import Batch, Dataset, Padded

Scale = Literal["none", "minmax", "standardise"]
VIEWS: tuple[Literal["audio"], Literal["vision"]] = ("audio", "vision")


def scaled(data: Dataset, scale: Scale) -> Dataset:
    """The same clips with every column of audio and vision scaled by the steps of train.

    After `minmax`, `data.scales` holds the lowest value and the range (D,) of each view in place of
    mean and sd: both are what is taken off a column and what it is then divided by. Columns that are
    constant in train are divided by 1. Other splits may leave [0, 1].
    """
    if scale == "none":
        return data
    told = replace(data, findings=(*data.findings, f"audio, vision: scaled by train ({scale})"))
    if scale == "standardise":
        return standardise(told)
    scales: dict[str, tuple[Tensor, Tensor]] = {
        view: extent(getattr(data.train, view)) for view in VIEWS
    }
    train, valid, test = (_applied(batch, scales) for batch in (data.train, data.valid, data.test))
    return replace(told, train=train, valid=valid, test=test, scales=scales)


def extent(features: Padded) -> tuple[Tensor, Tensor]:
    """Lowest value and range (D,) over the existing steps, in float64; the range of a constant is 1."""
    steps = features.values[features.mask].double()
    lowest, span = steps.amin(0), steps.amax(0) - steps.amin(0)
    return lowest, torch.where(span == 0, 1.0, span)


def _applied(batch: Batch, scales: Mapping[str, tuple[Tensor, Tensor]]) -> Batch:
    changed: dict[str, Any] = {view: apply(getattr(batch, view), *scales[view]) for view in VIEWS}
    return replace(batch, **changed)
