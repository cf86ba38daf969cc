"""Hyper-parameters of a model on a data set, as a file beside the model has them."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from harness.spec.base import Frozen
from harness.spec.errors import nearest
from harness.spec.trial import LossTerm

RATES = ("learning_rate", "batch_size", "weight_decay", "clip_norm", "warmup_fraction")
"""What a preset may say of the optimisation: how long a model is trained is the study's to say."""


class Preset(Frozen):
    """The values that differ from the defaults, and where they are from."""

    source: str = Field(min_length=1, description="who chose the values, on what, and how")
    trials: int | None = Field(None, ge=0, description="search trials behind them; null = not known")
    model: dict[str, Any] = {}
    losses: dict[str, LossTerm] = {}
    optimisation: dict[str, float | None] = {}

    @field_validator("optimisation")
    @classmethod
    def _says_nothing_of_the_budget(cls, values: dict[str, float | None]) -> dict[str, float | None]:
        for name in values:
            if name not in RATES:
                raise ValueError(f"a preset says no '{name}'; {nearest(name, RATES)}")
        return values
