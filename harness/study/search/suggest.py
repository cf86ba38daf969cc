"""From a space to a proposal of Optuna's."""

from __future__ import annotations

from typing import Any

import optuna

from harness.spec import ChoiceSpace, FloatSpace, Space
from harness.study.search.space import ArmSpace
from harness.study.search.values import top


def suggest(trial: optuna.Trial, space: ArmSpace) -> dict[str, Any]:
    """The values that the trial is to have, by dotted path; what is not searched now is absent."""
    chosen: dict[str, Any] = {}
    for path, own in space.spaces.items():
        if space.is_searched(path, chosen):
            chosen[path] = _suggested(trial, path, own)
    return chosen


def _suggested(trial: optuna.Trial, path: str, space: Space) -> Any:
    if isinstance(space, ChoiceSpace):
        return trial.suggest_categorical(path, space.choices)
    if isinstance(space, FloatSpace):
        step = None if space.log else space.step
        return trial.suggest_float(path, space.low, top(space), step=step, log=space.log)
    return trial.suggest_int(path, space.low, int(top(space)), step=space.step, log=space.log)
