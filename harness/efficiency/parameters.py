"""How large a model is at inference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


OWN, FITTED = "(own)", "(fitted)"
"""What `components` calls parameters of no part: those of the model itself, and of its closed form."""


def components(model: nn.Module) -> dict[str, int]:
    """`inference_parameters` by the model's parts, which are its top-level modules.

    A tensor that several parts share is the first one's. Parts without parameters of their own are left
    out, so that the values add up to the total and none of them is zero.
    """
    seen: set[int] = set()
    counts = {OWN: _fresh_values(model.parameters(recurse=False), seen)}
    for name, part in model.named_children():
        counts[name] = _fresh_values(part.parameters(), seen)
    counts[FITTED] = model.fitted_parameters() if isinstance(model, Fits) else 0
    return {name: count for name, count in counts.items() if count}


def _fresh_values(parameters: Iterable[nn.Parameter], seen: set[int]) -> int:
    """Values of the parameters that are not in `seen`, which then has them."""
    fresh = [one for one in parameters if id(one) not in seen]
    seen.update(map(id, fresh))
    return sum(one.numel() for one in fresh)


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
