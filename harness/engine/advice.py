"""A frozen teacher's outputs on the training clips: computed once, stored, handed to every student."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from harness.engine.seeds import generator
from harness.spec import BadInput, Control
from harness.types import Outputs

ADVICE_FILE = "advice.safetensors"
_STORED = ("score", "class_logits", "embedding")


def save_advice(advice: Outputs, ids: tuple[str, ...], path: Path) -> None:
    """Writes score, class logits and embedding of the clips `ids`, in that order."""
    tensors = {
        name: getattr(advice, name).contiguous() for name in _STORED if getattr(advice, name) is not None
    }
    save_file(tensors, path, metadata={"ids": json.dumps(ids)})


def load_advice(path: Path, ids: tuple[str, ...]) -> Outputs:
    """The stored outputs, put into the order of `ids`.

    Raises:
        BadInput: the file is damaged, or holds other clips than `ids`.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            known = {clip: row for row, clip in enumerate(json.loads(stored.metadata()["ids"]))}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise BadInput(f"not a file of teacher outputs ({error})", file=path) from error
    missing = [clip for clip in ids if clip not in known]
    if missing or len(known) != len(ids):
        raise BadInput(
            f"teacher outputs of {len(known)} clips do not match the {len(ids)} training clips; "
            f"{len(missing)} are missing",
            file=path,
        )
    order = torch.tensor([known[clip] for clip in ids])
    return Outputs(**{name: tensor[order] for name, tensor in tensors.items()})


def take_outputs(outputs: Outputs, index: torch.Tensor) -> Outputs:
    """The rows of `index`."""
    found = {f.name: getattr(outputs, f.name) for f in fields(outputs)}
    return Outputs(
        **{name: value[index] for name, value in found.items() if name in _STORED and value is not None}
    )


def control_advice(advice: Outputs, control: Control, seed: int) -> Outputs:
    """What a control makes of the advice; ``shuffled`` gives each clip the outputs of another draw."""
    if control == "none":
        return advice
    order = torch.randperm(len(advice.score), generator=generator(seed, "advice/shuffled"))
    return take_outputs(advice, order)
