"""What every reader of pairs can be told."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.data.pairs.scale import Scale
from harness.spec import DataConfig, TaskName

Fill = Literal["refuse", "zero"]


class PairsConfig(DataConfig):
    """How features are read, whatever file they come from."""

    task: ClassVar[TaskName] = "retrieval"

    scale: Scale = Field(
        "none",
        description="feature columns by train steps: minmax, to [0, 1]; standardise, to mean 0 and "
        "sd 1; none, as stored",
    )
    fill_non_finite: Fill = Field(
        "refuse", description="zero: NaN and infinite features become 0, counted; refuse: an error"
    )


class CutConfig(PairsConfig):
    """The same for a file without a validation split: one is cut from train."""

    validation: float = Field(
        0.1, gt=0, le=0.5, description="share of the training clips of each class held out to validate"
    )
    validation_seed: int = Field(0, ge=0, description="another seed holds out other clips")
    classes: tuple[str, ...] = Field(
        (), description="names of the classes, in ascending order of their labels; empty: the labels"
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        twice = sorted({name for name in self.classes if self.classes.count(name) > 1})
        if twice:
            raise ValueError(f"classes: expected every name once, given '{twice[0]}' twice")
        return self
