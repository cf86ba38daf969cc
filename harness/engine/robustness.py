"""What a selected model says of test clips that something is missing from, or wrong with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import nn

from harness.contracts import Degrades, Tokenises
from harness.engine.evaluation import evaluate
from harness.engine.predict import predict
from harness.registry import DATASETS, REGISTRIES
from harness.robustness.conditions import under
from harness.spec import Condition, ConditionRecord, TrialSpec, VariantRef
from harness.types import Batch, Dataset

if TYPE_CHECKING:
    from harness.engine.assignment import Assignment

RECORDED = frozenset({"audio_noise", "blur"})
"""What happens in a recording, where the data set has it."""

KEPT = 12
"""Sets of clips read anew that are kept for the next trial; one may have hundreds of megabytes."""

_read_before: OrderedDict[tuple[VariantRef, str, Condition], Batch] = OrderedDict()


def robustness(
    given: Assignment, fabric: Fabric, model: nn.Module, dtype: torch.dtype
) -> tuple[tuple[ConditionRecord, ...], pd.DataFrame]:
    """Metrics under every condition of the spec, and all predictions (`ROBUSTNESS_COLUMNS`)."""
    records, tables = [], []
    for condition, clips in _conditions(given):
        seen = _visible(given.spec, model, clips)
        found = evaluate(clips, predict(fabric, model, seen, dtype), given.spec.protocol)
        records.append(ConditionRecord(condition=condition, metrics=found.metrics))
        columns = {"condition": condition.name, "id": clips.ids, "score": found.values["score"]}
        tables.append(pd.DataFrame(columns))
    return tuple(records), pd.concat(tables, ignore_index=True)


def _visible(spec: TrialSpec, model: nn.Module, clips: Batch) -> Batch:
    seen = clips.only(REGISTRIES[spec.role].configure(spec.model).needs())
    return model.tokenise(seen) if isinstance(model, Tokenises) else seen


def _conditions(given: Assignment) -> Iterator[tuple[Condition, Batch]]:
    data = given.data
    scale = {"audio": _sd(data, "audio")} if data.train.audio is not None else {}
    reader = DATASETS.build(given.spec.data)
    for condition in given.spec.conditions:
        if condition.kind in RECORDED and condition.level and isinstance(reader, Degrades):
            yield condition, _read_anew(reader, given, condition)
        else:
            yield condition, under(condition, data.test, scale)


def _read_anew(reader: Degrades, given: Assignment, condition: Condition) -> Batch:
    # One fingerprint of files may be read in several ways.
    key = (given.spec.data, given.fingerprint, condition)
    if key not in _read_before:
        _read_before[key] = reader.degraded(given.data, condition)
        if len(_read_before) > KEPT:
            _read_before.popitem(last=False)
    return _read_before[key]


def _sd(data: Dataset, view: str) -> torch.Tensor:
    """(D,) sd of a view's columns over the steps of train."""
    found = getattr(data.train, view)
    return found.values[found.mask].double().std(0, correction=0).float()
