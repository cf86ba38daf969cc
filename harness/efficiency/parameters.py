"""How large a model is at inference."""

from __future__ import annotations

from torch import nn


def inference_parameters(model: nn.Module) -> int:
    """The number of values in the distinct parameters of `model`, frozen ones included.

    A tensor shared by several modules counts once. Buffers do not count. Whatever the model holds
    is taken as needed at inference, so a student must not hold its teacher.
    """
    return sum(parameter.numel() for parameter in model.parameters())
