"""The identity of what never changes in a model, so that it is computed once for all trials."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import nn

from harness.spec import digest

# Raised whenever the same weights and settings make other vectors of a clip.
TRANSFORM = 1


def frozen_hash(parts: Mapping[str, nn.Module], settings: Mapping[str, object]) -> str:
    """SHA-256 over every tensor of the parts (name, type, shape, bytes), and over the settings."""
    found = hashlib.sha256(digest({"transform": TRANSFORM, **settings}).encode())
    for part, module in sorted(parts.items()):
        for name, tensor in sorted(module.state_dict().items()):
            found.update(f"{part}.{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
