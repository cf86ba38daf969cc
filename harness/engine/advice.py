"""Frozen teachers' outputs on the training clips: computed once, stored, handed to every student."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import one_hot

from harness.engine.seeds import generator
from harness.nn.compare.levels import level_shares
from harness.nn.compare.match import match_factors
from harness.spec import BadInput, Control, OutputName
from harness.types import Batch, DataInfo, Outputs, Padded

CERTAIN = 14.0
"""A logit that is as good as certain: its sigmoid is a float's rounding away from 1."""

ADVICE_FILE = "advice.safetensors"
_HIDDEN, _MASK = "hidden", "hidden_mask"
_VECTORS: tuple[OutputName, ...] = tuple(name for name in get_args(OutputName) if name != _HIDDEN)


def save_advice(advice: Outputs, ids: tuple[str, ...], path: Path) -> None:
    """Writes every output of the clips `ids`, in that order."""
    found: dict[str, Tensor | None] = {name: getattr(advice, name) for name in _VECTORS}
    if advice.hidden is not None:
        found |= {_HIDDEN: advice.hidden.values, _MASK: advice.hidden.mask}
    tensors = {name: value.contiguous() for name, value in found.items() if value is not None}
    save_file(tensors, path, metadata={"ids": json.dumps(ids)})


def load_advice(paths: Sequence[Path], ids: tuple[str, ...]) -> Outputs:
    """The stored outputs of one teacher, or of one a fold, put into the order of `ids`.

    Raises:
        BadInput: a file is damaged, or together they do not hold the clips `ids`, each once.
    """
    parts = [_read(path) for path in paths]
    known = [clip for found, _ in parts for clip in found]
    rows = {clip: row for row, clip in enumerate(known)}
    missing = [clip for clip in ids if clip not in rows]
    if missing or len(known) != len(ids):
        raise BadInput(
            f"teacher outputs of {len(known)} clips do not match the {len(ids)} training clips; "
            f"{len(missing)} are missing",
            file=paths[0],
        )
    return cat_outputs([advice for _, advice in parts]).take(torch.tensor([rows[clip] for clip in ids]))


def cat_outputs(parts: Sequence[Outputs]) -> Outputs:
    """The outputs of all parts, one part after the other; all give the same ones."""
    vectors = {
        name: torch.cat([part.tensor(name) for part in parts])
        for name in _VECTORS
        if getattr(parts[0], name) is not None
    }
    hidden = [part.hidden for part in parts if part.hidden is not None]
    return Outputs(**vectors, hidden=Padded.cat(hidden) if hidden else None)


def control_advice(
    advice: Outputs, control: Control, batch: Batch, info: DataInfo, seed: int
) -> Outputs:
    """What a control makes of the advice on the clips of `batch`; see `harness.spec.Control`."""
    if control == "shuffled":
        order = torch.randperm(len(advice), generator=generator(seed, "advice/shuffled"))
        return advice.take(order)
    if control == "constant":
        return _constant(advice)
    if control == "label_echo":
        return _label_echo(advice, batch.target, info)
    # An untrained teacher's outputs are what they are: its trial had no epochs.
    return advice


def _read(path: Path) -> tuple[list[str], Outputs]:
    try:
        with safe_open(path, framework="pt") as stored:
            ids = [str(clip) for clip in json.loads(stored.metadata()["ids"])]
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        hidden = Padded(tensors.pop(_HIDDEN), tensors.pop(_MASK)) if _HIDDEN in tensors else None
        return ids, Outputs(**tensors, hidden=hidden)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"not a file of teacher outputs ({error})", file=path) from error


def _constant(advice: Outputs) -> Outputs:
    """The mean output for every clip; a step of `hidden` is the mean over clips that have that step."""
    count = len(advice)
    vectors = {
        name: value.mean(0, keepdim=True).expand_as(value).contiguous()
        for name in _VECTORS
        if (value := getattr(advice, name)) is not None
    }
    hidden = advice.hidden
    if hidden is not None:
        by_step = Padded(hidden.values.transpose(0, 1), hidden.mask.T).mean()
        steps = hidden.mask.any(0, keepdim=True).expand(count, -1)
        hidden = Padded(by_step.expand(count, -1, -1).contiguous(), steps.contiguous())
    return Outputs(**vectors, hidden=hidden)


def _label_echo(advice: Outputs, target: Tensor, info: DataInfo) -> Outputs:
    """The label as score, as class logits, and as match factors, of those that the teacher gives.

    As class logits: log-probabilities of the two levels it lies between, whose expectation is the
    label, or of the class; others get the probability of a float's rounding. As factors: those of
    pairs of one class have a match score of nearly 1, all others nearly 0.
    """
    logits = advice.class_logits
    if logits is not None:
        share = level_shares(target, info.label_range, logits.shape[1]).clamp(min=1e-6)
        logits = (share / share.sum(1, keepdim=True)).log()
    match = None
    if advice.match is not None:
        own = one_hot(target, len(info.classes)).float()
        match = match_factors(own, torch.tensor(2 * CERTAIN), torch.tensor(-CERTAIN))
    score = target.clone() if advice.score is not None else None
    return Outputs(score, class_logits=logits, match=match)
