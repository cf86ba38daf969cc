"""What a model's frozen parts say of clips: computed once, kept on disk, read by every later trial."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from harness.contracts import Precomputes
from harness.paged import cat_paged
from harness.spec import canonical_json, digest
from harness.types import Batch

# Clips a file: what an interruption or a damaged file costs.
BLOCK = 256
# Clips a forward pass of frozen parts: eight frames each of a large tower still fit.
FORWARD = 16

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeatureCache:
    """A folder of tensors, addressed by what they were computed from.

    The address is a hash of the data's fingerprint, of the model's frozen weights and transforms, of
    the clips, and of precision and device, which decide the last bits. Nothing is ever out of date:
    other input has another address. The folder may be deleted at any time.

    Attributes:
        folder: where the files are.
        fingerprint: of the data that the clips are from.
    """

    folder: Path
    fingerprint: str

    def precomputed(self, fabric: Fabric, model: nn.Module, clips: Batch, dtype: torch.dtype) -> Batch:
        """The clips with `precomputed` filled and without the views that this replaces.

        A file that is damaged, or that was computed from something else than its name says, is
        computed again, with a warning. The clips themselves, if the model has no frozen parts.
        """
        identity = model.frozen_identity() if isinstance(model, Precomputes) else None
        if identity is None or not len(clips):
            return clips
        model.to(fabric.device, dtype).eval()
        source = {
            "data": self.fingerprint,
            "frozen": identity,
            "precision": str(fabric.strategy.precision.precision),
            "device": fabric.device.type,
        }
        blocks = [self._block(fabric, model, block, source, dtype) for block in _blocks(clips)]
        found = {name: cat_paged([block[name] for block in blocks]) for name in blocks[0]}
        return replace(clips.without(model.replaced_views()), precomputed=found)

    def _block(
        self,
        fabric: Fabric,
        model: nn.Module,
        clips: Batch,
        source: Mapping[str, str],
        dtype: torch.dtype,
    ) -> dict[str, Tensor]:
        key = {**source, "clips": clips.ids}
        file = self.folder / digest(key, length=32)[:2] / f"{digest(key, length=32)}.safetensors"
        found = _read(file, key) if file.exists() else None
        if found is None:
            _write(file, _compute(fabric, model, clips, dtype), key)
            # Read back rather than kept: a file is mapped, and need not be in memory as a whole.
            found = _read(file, key)
        if found is None:
            raise OSError(f"{file} does not hold what was just written to it")
        return found


def _blocks(clips: Batch) -> Iterator[Batch]:
    for rows in torch.arange(len(clips)).split(BLOCK):
        yield clips.take(rows)


# Not inference_mode: what it makes can never be part of a training step.
@torch.no_grad()
def _compute(fabric: Fabric, model: nn.Module, clips: Batch, dtype: torch.dtype) -> dict[str, Tensor]:
    parts = []
    for rows in torch.arange(len(clips)).split(FORWARD):
        with fabric.autocast():
            found = model.precompute(clips.take(rows).to(fabric.device, dtype))
        parts.append({name: tensor.cpu() for name, tensor in found.items()})
    return {name: cat_paged([part[name] for part in parts]) for name in parts[0]}


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _write(file: Path, tensors: Mapping[str, Tensor], key: Mapping[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Named by the process: two that compute the same block must not write into one file.
    partial = file.with_suffix(f".{os.getpid()}.partial")
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    metadata = {"key": canonical_json(key), "sha256": _checksum(contiguous)}
    save_file(contiguous, partial, metadata=metadata)
    partial.replace(file)


def _read(file: Path, key: Mapping[str, object]) -> dict[str, Tensor] | None:
    """The tensors of a file, None when it is not what its name says."""
    try:
        with safe_open(file, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        log.warning("%s is damaged (%s); computed again", file, error)
        return None
    if metadata.get("key") != canonical_json(key):
        log.warning("%s was computed from something else; computed again", file)
        return None
    if metadata.get("sha256") != _checksum(tensors):
        log.warning("%s is damaged (another checksum than when it was written); computed again", file)
        return None
    return tensors
