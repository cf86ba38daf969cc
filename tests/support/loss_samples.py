"""Outputs of an imagined student and teacher, and every loss made ready for them."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig
from toy_events import ToyEvents, ToyEventsConfig

from harness.contracts import Adapts
from harness.registry import BUILTIN_PACKAGES, LOSSES, discover
from harness.spec import OutputName
from harness.types import Outputs, Padded

discover()
BUILTIN = [
    pytest.param(entry, id=entry.name)
    for entry in LOSSES
    if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
]
DATA = Toy(ToyConfig()).load()
EVENTS = ToyEvents(ToyEventsConfig()).load()
# What a loss remembers of labels has moved on since, as after some epochs.
REMEMBERED = replace(DATA.train, target=DATA.train.target.roll(1))
CLASSES = len(EVENTS.info.classes)
LEVELS = 7
EVERY_OUTPUT = frozenset(get_args(OutputName))
EVERY_PART = frozenset().union(*(found.values[0].config.parts for found in BUILTIN))


def losses(condition):
    """The built-in losses whose entry meets the condition, as a parametrisation."""
    return pytest.mark.parametrize("entry", [found for found in BUILTIN if condition(found.values[0])])


def build(entry, seed=0):
    """The loss at its tiny size in double precision, its parameters made for student and teacher.

    In evaluation mode, so that a loss with a memory says the same twice.
    """
    loss = entry.builder(entry.tiny_config(), data_of(entry).info)
    if isinstance(loss, Adapts):
        torch.manual_seed(seed)
        remembered = REMEMBERED if data_of(entry) is DATA else EVENTS.train
        loss.adapt(student(8, entry), advice_for(entry, 8), clips=remembered)
    return loss.double().eval()


def data_of(entry):
    """The clips that the loss is about; those of the other task, if it is about either."""
    return EVENTS if entry is not None and entry.config.task == "retrieval" else DATA


def clips(count, entry=None):
    chosen = data_of(entry).train.take(torch.arange(count))
    return chosen.to(torch.device("cpu"), torch.float64)


def student(count, entry=None, *, needs_gradient=False):
    return outputs(count, 0, (5, 4), needs_gradient, entry)


def teacher(count, entry=None, *, needs_gradient=False):
    """Another width and other numbers of steps than the student's."""
    return outputs(count, 1, (6, 3), needs_gradient, entry)


def advice_for(entry, count):
    """A teacher's outputs, or None for a loss that declares no teacher."""
    return teacher(count, entry) if entry.config.advice else None


def outputs(count, seed, sizes, needs_gradient, entry=None):
    draw = torch.Generator().manual_seed(seed)
    width, steps = sizes

    def tensor(*shape):
        values = torch.randn(*shape, generator=draw, dtype=torch.float64)
        return values.requires_grad_(needs_gradient)

    mask = torch.arange(steps) < torch.randint(1, steps + 1, (count, 1), generator=draw)
    return Outputs(
        score=tensor(count),
        class_logits=tensor(count, LEVELS if data_of(entry) is DATA else CLASSES),
        embedding=tensor(count, width),
        hidden=Padded(tensor(count, steps, width), mask),
        audio_embedding=tensor(count, width),
        vision_embedding=tensor(count, width),
        match=tensor(count, width + 1),
        parts={name: tensor(*part_shape(name, count, width)) for name in sorted(EVERY_PART)},
    )


def part_shape(name, count, width):
    """By the end of its name: a number a clip, a logit a class, a sequence as long as the toy's view, or
    a vector."""
    view = name.partition("_")[0]
    if name.endswith("_states"):
        return (count, getattr(DATA.train, view).values.shape[1], width)
    if name.endswith("_class_logits"):
        return (count, CLASSES)
    return (count,) if name.endswith("_score") else (count, width)


def tensors(found):
    return [found.tensor(name) for name in sorted(EVERY_OUTPUT)]


def needed(entry, found):
    """The outputs and parts that a loss declares, by name."""
    outputs_ = {name: found.tensor(name) for name in sorted(entry.config.needs)}
    return outputs_ | {name: found.part(name) for name in sorted(entry.config.parts)}


def of_logits(logits):
    """Outputs whose class logits are those of a NumPy array (B, K)."""
    return Outputs(torch.zeros(len(logits)), class_logits=torch.as_tensor(logits))


def of_embedding(embedding):
    """Outputs whose embedding is that of a NumPy array (B, D)."""
    return Outputs(torch.zeros(len(embedding)), embedding=torch.as_tensor(embedding))


def rotation(width, seed=0):
    """A random orthogonal matrix (D, D)."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


def softmax(logits):
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)
