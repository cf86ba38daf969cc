"""Loops of fixed work, run beside a bench: its time in such loops is nearly the same on any machine.

Each loop does what a kind of bench does most, with as much code and data, so that a processor which is
slower at it, for good or for a while, is slower at both. What others on the machine take from it above
all is cache: a loop of a few operators does not notice, and a step of training does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, f1_score
from torch import nn
from torch.nn import functional

Kind = Literal["operators", "gradients", "training", "arrays", "judging", "ranking", "hashing", "python"]
"""What a bench does most: small operators of Torch, the same with their gradients, those with an
optimiser's step, small NumPy arrays, calls of scikit-learn and SciPy, matrices that are multiplied and
sorted, hashing of bytes, or the interpreter's own."""

WIDTH = 16


def _operators(rows: torch.Tensor, weight: torch.Tensor, times: int) -> torch.Tensor:
    for _ in range(times):
        rows = functional.linear(functional.layer_norm(rows, (WIDTH,)), weight).relu() + rows
        rows = torch.where(rows > 0, rows, rows.softmax(1))
    return rows


def _inferred(rows: torch.Tensor, weight: torch.Tensor) -> None:
    with torch.inference_mode():
        _operators(rows, weight, times=8)


def _derived(rows: torch.Tensor, weight: torch.Tensor) -> None:
    weight.grad = None
    _operators(rows, weight, times=2).square().mean().backward()


def _trained() -> Callable[[], None]:
    """A step of a small network over a table of embeddings and a recurrence, by AdamW."""
    draw = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        table, memory = nn.Embedding(100, WIDTH), nn.GRU(WIDTH, WIDTH, batch_first=True)
        head = nn.Sequential(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1)
        )
    parameters = [*table.parameters(), *memory.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1e-4)
    words, target = torch.randint(100, (32, 8), generator=draw), torch.randn(32, 1, generator=draw)

    def step() -> None:
        states, _ = memory(table(words))
        loss = functional.l1_loss(head(states.mean(1)), target)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, max_norm=1.0)
        optimiser.step()

    return step


def _arrays(values: np.ndarray) -> None:
    for _ in range(4):
        order = np.argsort(values)
        places = np.searchsorted(values[order], values[:100])
        np.bincount(places).cumsum()
        np.corrcoef(values, values.round())
        np.unique(np.clip(values, -1, 1).round(1))


def _judged(values: np.ndarray, others: np.ndarray) -> None:
    pearsonr(values, others)
    f1_score(values > 0, others > 0, average="weighted")
    accuracy_score(values.round().astype(int), others.round().astype(int))


def _ranked(left: np.ndarray, right: np.ndarray) -> None:
    np.sort((left @ right).view(np.int64), axis=1)


def _hashed(content: bytes) -> None:
    # Of a copy: a cache is read before it is hashed.
    hashlib.sha256(bytearray(content)).digest()


@dataclass(frozen=True)
class _Clip:
    name: str
    number: int


def _python(clip: _Clip) -> None:
    found = [replace(clip, number=number) for number in range(60)]
    named = {each.name + str(each.number): each for each in found}
    tuple(sorted(named, key=lambda name: named[name].number))


def loops() -> Mapping[Kind, Callable[[], None]]:
    """One loop of each kind on inputs of its own: a tenth of a millisecond to a few of them."""
    draw, draws = torch.Generator().manual_seed(0), np.random.default_rng(0)
    rows, weight = (torch.randn(WIDTH, WIDTH, generator=draw) for _ in range(2))
    values, others = draws.normal(size=(2, 700))
    left, right = draws.normal(size=(93, 64)), draws.normal(size=(64, 5620))
    found: dict[Kind, Callable[[], None]] = {
        "operators": partial(_inferred, rows, weight),
        "gradients": partial(_derived, rows, weight.clone().requires_grad_()),
        "training": _trained(),
        "arrays": partial(_arrays, values),
        "judging": partial(_judged, values, others),
        "ranking": partial(_ranked, left, right),
        "hashing": partial(_hashed, draws.bytes(600_000)),
        "python": partial(_python, _Clip("clip", 0)),
    }
    assert tuple(found) == get_args(Kind)
    return found
