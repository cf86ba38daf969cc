"""What a table shows, read from a file: columns, split, interval, and which controls it should have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from harness.spec import METRICS, BadInput, Control, Frozen, MetricSpec, Role, TrialSpec, nearest
from reports.statistics import Bootstrap

FOLDER = Path(__file__).parent / "layouts"


class LayoutColumn(Frozen):
    """One metric, named as in `harness.spec.METRICS`."""

    metric: str
    spread: bool = Field(True, description="whether the sd over seeds is shown beside the mean")

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"unknown metric '{metric}'; {nearest(metric, METRICS)}")
        return metric

    @property
    def spec(self) -> MetricSpec:
        """Label, direction, unit and digits."""
        return METRICS[self.metric]


class ArmPattern(Frozen):
    """Which arms are meant; what is not said may be anything."""

    role: Role | None = None
    model: str | None = None
    advised: bool | None = Field(None, description="whether the trial learns from a teacher")
    losses: tuple[str, ...] = Field((), description="losses it has, its teacher's included")
    control: Control | None = None

    def fits(self, spec: TrialSpec) -> bool:
        """Whether the trial is meant."""
        losses = spec.losses.keys() | (spec.teacher.losses.keys() if spec.teacher else set())
        return (
            self.role in {None, spec.role}
            and self.model in {None, spec.model.name}
            and self.advised in {None, spec.teacher is not None}
            and losses >= set(self.losses)
            and self.control in {None, spec.control}
        )


class RequiredArm(Frozen):
    """An arm that a table of distilled students must not lack: one that fits any of the patterns."""

    label: str
    any_of: Annotated[tuple[ArmPattern, ...], Field(min_length=1)]


class Naming(Frozen):
    """A sentence that a table must say of the arms that fit."""

    text: str
    arms: ArmPattern


class Layout(Frozen):
    """One kind of table."""

    name: str
    caption: str
    split: str
    compared: Literal["mae", "map"] = Field(
        "mae", description="metric that differences to the reference are in"
    )
    columns: Annotated[tuple[LayoutColumn, ...], Field(min_length=1)]
    bootstrap: Bootstrap = Bootstrap()
    controls: tuple[RequiredArm, ...] = ()
    naming: tuple[Naming, ...] = ()
    text_only: bool = Field(
        True, description="whether a control that reads text alone belongs into the table"
    )
    late_fusion: tuple[ArmPattern, ...] = Field(
        (), description="arms whose curve is what effective robustness expects of the others"
    )


def load_layout(name: str) -> Layout:
    """The shipped layout of that name.

    Raises:
        BadInput: There is none, or its file is wrong.
    """
    from omegaconf import OmegaConf

    known = {path.stem: path for path in FOLDER.glob("*.yaml")}
    if name not in known:
        raise BadInput(f"unknown layout '{name}'; {nearest(name, known)}", key="layout")
    content: Any = OmegaConf.to_container(OmegaConf.load(known[name]), resolve=True)
    try:
        return Layout.model_validate({"name": name, **content})
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        raise BadInput(fault["msg"], file=known[name], key=key) from error
