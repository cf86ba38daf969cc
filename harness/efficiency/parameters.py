"""How large a model is at inference."""

from __future__ import annotations

from torch import nn

from harness.contracts import Fits


def inference_parameters(model: nn.Module) -> int:
    """The number of values in the distinct parameters of `model`, frozen and fitted ones included.

    A tensor shared by several modules counts once. Buffers do not count, unless the model says that
    they were fitted. Whatever the model holds is taken as needed at inference, so a student must not
    hold its teacher.
    """
    fitted = model.fitted_parameters() if isinstance(model, Fits) else 0
    return fitted + sum(parameter.numel() for parameter in model.parameters())
