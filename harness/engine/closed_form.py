"""Fitting what a model has in closed form."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from torch import nn

from harness.contracts import Fits
from harness.types import Batch


@torch.no_grad()
def fit_closed_form(fabric: Fabric, model: nn.Module, clips: Batch, dtype: torch.dtype) -> None:
    """Fits the model's closed-form part, if it has one, to all of the clips at once.

    The model is then on the device and of the precision of its trial, trained or not.
    """
    module = model.to(fabric.device, dtype)
    if not isinstance(model, Fits):
        return
    was_training = module.training
    module.eval()
    model.fit(clips.to(fabric.device, dtype))
    module.train(was_training)
