"""Loops of fixed work, run beside a bench: its time in such loops is nearly the same on any machine.

Each loop does what a kind of bench does most, so that a processor which is slower at it, for good or
for a while, is slower at both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from torch.nn import functional

Kind = Literal["ops", "autograd", "arrays", "sorting", "bytes", "python"]
"""What a bench does most: small operators of Torch, the same with their gradients, small NumPy arrays,
large ones that are multiplied and sorted, hashing, or the interpreter."""

WIDTH = 16


def _operators(rows: torch.Tensor, weight: torch.Tensor, times: int) -> torch.Tensor:
    for _ in range(times):
        rows = functional.linear(functional.layer_norm(rows, (WIDTH,)), weight).relu() + rows
        rows = torch.where(rows > 0, rows, rows.softmax(1))
    return rows


def _ops(rows: torch.Tensor, weight: torch.Tensor) -> None:
    with torch.inference_mode():
        _operators(rows, weight, times=8)


def _autograd(rows: torch.Tensor, weight: torch.Tensor) -> None:
    weight.grad = None
    _operators(rows, weight, times=2).square().mean().backward()


def _arrays(values: np.ndarray) -> None:
    for _ in range(4):
        order = np.argsort(values)
        places = np.searchsorted(values[order], values[:100])
        np.bincount(places).cumsum()
        np.corrcoef(values, values.round())
        np.unique(np.clip(values, -1, 1).round(1))


def _sorting(left: np.ndarray, right: np.ndarray) -> None:
    np.sort((left @ right).astype(np.float32), axis=1)


def _bytes(content: bytes) -> None:
    hashlib.sha256(content).digest()


@dataclass(frozen=True)
class _Clip:
    name: str
    number: int


def _python(clip: _Clip) -> None:
    found = [replace(clip, number=number) for number in range(60)]
    named = {each.name + str(each.number): each for each in found}
    tuple(sorted(named, key=lambda name: named[name].number))


def loops() -> Mapping[Kind, Callable[[], None]]:
    """One loop of each kind, a tenth to a few tenths of a millisecond, on inputs of their own."""
    draw, draws = torch.Generator().manual_seed(0), np.random.default_rng(0)
    rows, weight = (torch.randn(WIDTH, WIDTH, generator=draw) for _ in range(2))
    left, right = draws.normal(size=(20, 64)), draws.normal(size=(64, 800))
    found: dict[Kind, Callable[[], None]] = {
        "ops": partial(_ops, rows, weight),
        "autograd": partial(_autograd, rows, weight.clone().requires_grad_()),
        "arrays": partial(_arrays, draws.normal(size=700)),
        "sorting": partial(_sorting, left, right),
        "bytes": partial(_bytes, draws.bytes(200_000)),
        "python": partial(_python, _Clip("clip", 0)),
    }
    assert tuple(found) == get_args(Kind)
    return found
