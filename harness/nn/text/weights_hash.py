"""A name for weights that a path alone does not give: files in a folder can be replaced."""

from __future__ import annotations

from hashlib import sha256

import torch
from torch import nn


def weights_sha256(model: nn.Module) -> str:
    """The SHA-256, in hex, of every weight's name, type, shape and bits, in the order of the names."""
    digest = sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        bits = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(bits.numpy().data)
    return digest.hexdigest()
