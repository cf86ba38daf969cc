"""Clips whose sound and pictures are the rows of two matrices, and a model trained on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from harness.types import Batch, DataInfo, Outputs, Padded

Loss = Callable[[Outputs, Batch, None], Tensor]


def clips_of(audio: np.ndarray, vision: np.ndarray, labels: np.ndarray | None = None) -> Batch:
    """One step a clip, of audio (n, D_a) and vision (n, D_v); one class without `labels` (n,)."""
    names = tuple(f"clip{n}" for n in range(len(audio)))
    one = torch.ones(len(audio), 1, dtype=torch.bool)
    views = {
        name: Padded(torch.tensor(values, dtype=torch.float32).unsqueeze(1), one)
        for name, values in (("audio", audio), ("vision", vision))
    }
    target = np.zeros(len(audio), dtype=np.int64) if labels is None else labels
    return Batch(names, names, torch.as_tensor(target), **views)


def info_of(clips: Batch) -> DataInfo:
    """What a model has to know of such clips."""
    assert clips.audio is not None
    assert clips.vision is not None
    last = int(clips.target.max())
    return DataInfo(
        task="retrieval",
        label_range=(0.0, float(last)),
        classes=tuple(f"class{n}" for n in range(last + 1)),
        views=frozenset({"audio", "vision"}),
        audio_width=clips.audio.width,
        vision_width=clips.vision.width,
        audio_steps=1,
        vision_steps=1,
    )


def train(
    model: nn.Module, loss: Loss, clips: Batch, *, steps: int = 150, rate: float = 1e-2
) -> list[float]:
    """What the loss was at each step, all clips being one batch; the model is left in eval mode."""
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    model.train()
    found = []
    for _ in range(steps):
        value = loss(model(clips), clips, None)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        found.append(value.item())
    model.eval()
    return found
