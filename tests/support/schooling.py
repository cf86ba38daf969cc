"""Models of retrieval trained for a moment on the toy events, and what they find then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from sklearn.metrics import label_ranking_average_precision_score
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity
from toy_events import ToyEvents, ToyEventsConfig

from harness.contracts import Adapts, Opposes
from harness.registry import LOSSES, Registry, discover
from harness.spec import VariantRef
from harness.types import Batch

discover()
EVENTS = ToyEvents(ToyEventsConfig()).load()


def fresh(registry: Registry[Any], name: str, seed: int = 0, **params: Any) -> Any:
    """A small model on the toy events in eval mode, initialised from the seed."""
    torch.manual_seed(seed)
    sizes = {"width": 8, "hidden": 16, "dropout": 0.0}
    return registry.build(VariantRef(name=name, **(sizes | params)), EVENTS.info).eval()


def schooled(
    model: Any, losses: Mapping[str, Mapping[str, Any]], steps: int = 60, rate: float = 0.3
) -> Any:
    """The model after plain steps down the losses' sum over all training clips, in eval mode.

    A loss with an opponent has it make a step first, as in the engine.
    """
    built = [(params.get("weight", 1.0), build_loss(name, params)) for name, params in losses.items()]
    model.train()
    for _, loss in built:
        if isinstance(loss, Adapts):
            loss.adapt(model(EVENTS.train), None, clips=EVENTS.train)
    for _ in range(steps):
        outputs = model(EVENTS.train)
        for _, loss in built:
            if isinstance(loss, Opposes):
                step(loss.opponent(), loss.opponent_loss(outputs.detach(), EVENTS.train), rate)
        step(model.parameters(), sum(w * loss(outputs, EVENTS.train, None) for w, loss in built), rate)
    return model.eval()


def build_loss(name: str, params: Mapping[str, Any]) -> Any:
    """The loss of that name on the toy events; its weight is no part of it."""
    own = {key: value for key, value in params.items() if key != "weight"}
    return LOSSES.build(VariantRef(name=name, **own), EVENTS.info)


def step(parameters: Iterable[nn.Parameter], cost: Any, rate: float) -> None:
    """One step of gradient descent."""
    moved = list(parameters)
    slopes = torch.autograd.grad(cost, moved, allow_unused=True)
    with torch.no_grad():
        for parameter, slope in zip(moved, slopes, strict=True):
            if slope is not None:
                parameter.sub_(rate * slope)


def mean_average_precision(model: Any, clips: Batch = EVENTS.test) -> float:
    """Of both directions, their mean, over the whole ranking."""
    with torch.no_grad():
        outputs = model(clips)
    alike = cosine_similarity(outputs.audio_embedding[:, None], outputs.vision_embedding[None], dim=2)
    same = (clips.target[:, None] == clips.target).numpy()
    ways = (alike.numpy(), alike.numpy().T)
    return float(sum(label_ranking_average_precision_score(same, way) for way in ways) / 2)


def array(values: Tensor) -> np.ndarray:
    """As NumPy has it, in double precision."""
    return values.detach().double().numpy()


def means(clips: Batch, view: str) -> np.ndarray:
    """(B, D) of a view, each over the steps that exist, clip by clip."""
    seen = getattr(clips, view)
    pairs = zip(array(seen.values), seen.lengths.tolist(), strict=True)
    return np.stack([values[:length].mean(0) for values, length in pairs])


def linear(layer: nn.Linear, inputs: np.ndarray) -> np.ndarray:
    """W x + b, row by row."""
    return inputs @ array(layer.weight).T + array(layer.bias)


def directions(vectors: np.ndarray) -> np.ndarray:
    """The same rows, each one long."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
