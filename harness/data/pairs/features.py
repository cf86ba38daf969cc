"""Features of clips as sequences: a clip with one vector is a sequence of one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.pairs.config import Fill
from harness.data.pairs.stored import Stored
from harness.data.parts.checks import non_finite
from harness.types import Padded

_REMEDY = "; to read them as 0 set fill_non_finite: zero"


def read_sequences(stored: Stored) -> Padded:
    """(N, T, D) float32 from an array (N, D), where T is 1, or (N, T, D), of any number type.

    Nothing in these files says how long a clip is, so that every one of the T steps exists.

    Raises:
        BadInput: another shape, no numbers, no clips, no steps or no columns.
    """
    values = stored.values
    if values.dtype.kind not in "iuf" or values.ndim not in {2, 3}:
        raise stored.fault(f"expected numbers (N, D) or (N, T, D), found {values.dtype} {values.shape}")
    if not len(values):
        raise stored.fault(f"no clips in this split; expected at least one, found {values.shape}")
    if not values.size:
        raise stored.fault(f"clips without any row or column; found {values.shape}")
    sequences = torch.from_numpy(as_float32(values))
    sequences = sequences.unsqueeze(1) if sequences.ndim == 2 else sequences
    return Padded(sequences, torch.ones(sequences.shape[:2], dtype=torch.bool))


def as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """The same numbers as float32; a float64 beyond its range becomes infinite, for `finite` to find."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def finite(
    stored: Stored, features: Padded, ids: Sequence[str], fill: Fill
) -> tuple[Padded, tuple[str, ...]]:
    """The features with every value finite, and findings on their shape, values and what was filled.

    Args:
        stored: the place, for messages; its values are not read.
        features: (N, T, D) of the clips.
        ids: N clip ids.
        fill: `zero` turns values that are not finite into 0; `refuse` does not.

    Raises:
        BadInput: some are not finite, and `fill` is `refuse`; they are counted by kind.
    """
    values = features.values
    told = []
    if strange := non_finite(values.numpy()):
        clips = (~values.isfinite()).flatten(1).any(1).nonzero().flatten()
        counts = f"{strange} among {values.numel()} values, in {len(clips)} of {len(ids)} clips"
        if fill == "refuse":
            raise stored.fault(f"{counts}, the first is '{ids[int(clips[0])]}'{_REMEDY}")
        values = values.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        told.append(f"{counts}, read as 0 (fill_non_finite)")
    empty = int((values == 0).flatten(1).all(1).sum())
    if empty:
        told.append(f"zero throughout: {empty} of {len(ids)} clips")
    told.insert(0, f"{tuple(values.shape)}, values {values.min():g} to {values.max():g}")
    return replace(features, values=values), tuple(f"{stored.key}: {line}" for line in told)
