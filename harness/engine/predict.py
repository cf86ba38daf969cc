"""A trained model's outputs on a split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from harness.engine.advice import cat_outputs
from harness.types import Batch, Outputs

# Fixed, so that the bits of a prediction do not depend on the batch size of the training.
EVALUATION_BATCH = 64


def batches(clips: Batch, order: Tensor, size: int) -> Iterator[tuple[Tensor, Batch]]:
    """Index and clips of each batch, in `order`; the last one may be smaller, none is dropped."""
    for index in order.split(size):
        yield index, clips.take(index)


@torch.inference_mode()
def predict(
    fabric: Fabric, model: nn.Module, clips: Batch, dtype: torch.dtype, *, hidden: bool = False
) -> Outputs:
    """Outputs of all clips, on the CPU in float32, in the clips' order; `hidden` only if asked for."""
    model.eval()
    found = []
    for _, batch in batches(clips, torch.arange(len(clips)), EVALUATION_BATCH):
        with fabric.autocast():
            outputs = model(batch.to(fabric.device, dtype))
        outputs = outputs if hidden else replace(outputs, hidden=None)
        found.append(outputs.to(torch.device("cpu")))
    return cat_outputs(found)
