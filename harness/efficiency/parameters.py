"""How large a model is at inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import torch
from torch import Tensor, nn

from harness.contracts import Fits
from harness.spec import OutputName
from harness.types import Batch, Outputs


def inference_parameters(model: nn.Module, batch: Batch | None = None) -> int:
    """The number of values in the distinct parameters of `model`, frozen and fitted ones included.

    A tensor shared by several modules counts once. Buffers do not count, unless the model says that
    they were fitted. A student that holds its teacher counts it.

    Args:
        model: In eval mode, where a batch is given.
        batch: Clips, on the model's device. With them, trained parameters are left out that nothing
            depends on of what the model says of them, such as a classifier or a decoder that only losses
            read; without, all count.
    """
    fitted = model.fitted_parameters() if isinstance(model, Fits) else 0
    parameters = list(model.parameters())
    if batch is not None:
        with torch.enable_grad():
            used = {id(leaf) for leaf in _leaves(model(batch))}
        parameters = [one for one in parameters if not one.requires_grad or id(one) in used]
    return fitted + sum(parameter.numel() for parameter in parameters)


def _leaves(outputs: Outputs) -> Iterator[Tensor]:
    """The parameters in the graph of the outputs; nothing is computed."""
    given = [name for name in get_args(OutputName) if getattr(outputs, name) is not None]
    tensors = [outputs.tensor(name) for name in given]
    nodes: list[Any] = [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
    seen = set(nodes)
    while nodes:
        node = nodes.pop()
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            yield leaf
        fresh = {found for found, _ in node.next_functions if found is not None} - seen
        seen |= fresh
        nodes += fresh
