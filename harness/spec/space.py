"""What a search may choose for one parameter."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from harness.spec.base import Frozen

Scalar = bool | int | float | str | None
"""A value of a choice, as YAML writes it."""


class _Space(Frozen):
    when: dict[str, Any] = Field(
        {},
        description="only searched while these other parameters have these values (or one of a list)",
    )


class _Range(_Space):
    log: bool = Field(False, description="uniform in the logarithm; not together with a step")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        low, high, step = getattr(self, "low"), getattr(self, "high"), getattr(self, "step")  # noqa: B009
        if low > high:
            raise ValueError(f"a range needs low <= high, given low {low}, high {high}")
        if self.log and low <= 0:
            raise ValueError(f"a logarithmic range is above 0, given low {low}")
        if self.log and step not in {None, 1}:
            raise ValueError(f"a logarithmic range has no step, given {step}")
        return self


class FloatSpace(_Range):
    """A real number in [low, high]."""

    type: Literal["float"] = "float"
    low: float
    high: float
    step: float | None = Field(None, gt=0, description="distance of the values from low on")


class IntSpace(_Range):
    """A whole number in [low, high]."""

    type: Literal["int"] = "int"
    low: int
    high: int
    step: int = Field(1, ge=1, description="distance of the values from low on")


class ChoiceSpace(_Space):
    """One of a few values without an order."""

    type: Literal["choice"] = "choice"
    choices: tuple[Scalar, ...] = Field(min_length=1)


Space = Annotated[FloatSpace | IntSpace | ChoiceSpace, Field(discriminator="type")]

SPACE_ADAPTER: TypeAdapter[FloatSpace | IntSpace | ChoiceSpace] = TypeAdapter(Space)
