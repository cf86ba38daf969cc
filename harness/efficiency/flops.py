"""How much arithmetic one forward pass is, whatever machine does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.types import Batch

Shape = Sequence[int]


def forward_flops(model: nn.Module, batch: Batch) -> int:
    """The floating-point operations of ``model(batch)`` in eval mode, as `counted_flops` counts them.

    The model is as it was afterwards, after an exception too.
    """
    with _in_eval_mode(model):
        return counted_flops(lambda: model(batch))


def counted_flops(call: Callable[[], object]) -> int:
    """The floating-point operations of a call without gradients, two a multiply-add.

    Counted are products of matrices and of vectors, convolutions, attention, and the cells of
    recurrent layers, from the shapes that are computed with: padding that a model computes counts, steps
    that a packed sequence leaves out do not. An outer product by broadcasting, of which the result has
    more entries than either factor, counts one an entry: the fusion of TFN is nothing else.

    Not counted is what torch's counter takes as free: all other elementwise arithmetic (activations,
    biases, norms, softmax, the gates of a cell), sums, look-ups, `cdist`, `nn.Bilinear`, Fourier
    transforms, decompositions, triangular solves, and whatever is not done in torch or in another
    thread. So a call may have none.
    """
    counter = FlopCounterMode(display=False, custom_mapping=_FORMULAS)
    with _countable_attention(), torch.no_grad(), counter:
        call()
    return int(counter.get_total_flops())


@contextmanager
def _in_eval_mode(model: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, was_training in modes.items():
            module.training = was_training


@contextmanager
def _countable_attention() -> Iterator[None]:
    """Attention as products of matrices: its fused CPU kernels have no formula and count as nothing."""
    was_enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was_enabled)


def _mkldnn_layer(steps: Shape, *others: Any, **_: Any) -> int:
    return _recurrent(steps, others[:2])


def _cudnn_layers(steps: Shape, weights: Sequence[Shape], *_: Any, **__: Any) -> int:
    return _recurrent(steps, weights)


def _recurrent(steps: Shape, weights: Sequence[Shape]) -> int:
    """Every matrix among the weights, biases left out, is applied to every step (..., D) once."""
    return 2 * prod(steps[:-1]) * sum(prod(shape) for shape in weights if len(shape) == 2)


def _matrix_vector(matrix: Shape, *_: Any, **__: Any) -> int:
    return 2 * prod(matrix)


def _added_matrix_vector(_: Shape, matrix: Shape, *__: Any, **___: Any) -> int:
    return 2 * prod(matrix)


def _added_products(_: Shape, first: Shape, second: Shape, **__: Any) -> int:
    return 2 * prod(first) * second[-1]


class _OuterProduct:
    """One an entry if both factors are repeated along the other; products of indices are free."""

    # The counter hands over tensors instead of shapes, because integers are no floating point.
    _get_raw = True

    def __call__(self, *factors: Tensor | float, out_val: Tensor, **_: Any) -> int:
        larger = max(one.numel() if isinstance(one, Tensor) else 1 for one in factors)
        is_counted = out_val.is_floating_point() or out_val.is_complex()
        return out_val.numel() if is_counted and out_val.numel() > larger else 0


# What torch's counter lacks: fused recurrent layers, which count as nothing otherwise, products of
# vectors, and products that broadcast.
_FORMULAS: dict[Any, Callable[..., int]] = {
    torch.ops.aten.mkldnn_rnn_layer: _mkldnn_layer,
    torch.ops.aten._cudnn_rnn: _cudnn_layers,
    torch.ops.aten.miopen_rnn: _cudnn_layers,
    torch.ops.aten.mul: _OuterProduct(),
    torch.ops.aten.dot: _matrix_vector,
    torch.ops.aten.mv: _matrix_vector,
    torch.ops.aten.addmv: _added_matrix_vector,
    torch.ops.aten.addbmm: _added_products,
}
