"""A study file, as written: what is compared, over which seeds, against which reference."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from harness.spec.base import Frozen
from harness.spec.bench import BenchSettings
from harness.spec.errors import nearest
from harness.spec.launch import Launch, SerialLaunch
from harness.spec.robustness import Missing, RobustnessProtocol
from harness.spec.search import SearchSettings
from harness.spec.task import Protocol
from harness.spec.trial import Control, LossTerm, Optimisation, Precision, Role, Runtime, Schedule
from harness.spec.variant import VariantRef

ArmControl = Literal[Control, "alone", "alone_half"]
"""A control of the teacher's outputs, or none of them: the arm's student without its losses that ask
for advice, as it is or at half the width."""

NAMED_CONTROLS: dict[str, ArmControl] = {
    "shuffled_teacher": "shuffled",
    "untrained_teacher": "untrained",
    "constant_teacher": "constant",
    "label_echo_teacher": "label_echo",
    "alone": "alone",
    "alone_half": "alone_half",
}
"""Arms that any study can ask for by name under `controls`: the base under that control."""


class PartialRef(BaseModel):
    """A variant, or some of its parameters only, where the name is said elsewhere."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str | None = None


class Recipe(Frozen):
    """How one model is trained: which variant, under which losses, optimised how."""

    model: PartialRef | None = None
    losses: dict[str, LossTerm | None] | None = Field(
        None, description="loss name to weight and parameters; null takes a loss of the base away"
    )
    optimisation: Optimisation | None = None
    labelled_fraction: float | None = Field(
        None, gt=0, le=1, description="share of training clips whose labels may be read; null = all"
    )
    missing: Missing | None = Field(
        None, description="what is taken from training clips, such as modality dropout; null = nothing"
    )
    preset: str | None = Field(
        None,
        description="data set whose hyper-parameters, from the file beside the model, lie over the "
        "base's and under the arm's own",
    )


class Template(Frozen):
    """One arm: a recipe for each role, and which role's trial the arm reports.

    The base of a study is a template, and so is each arm, which is merged over the base.
    """

    role: Role | None = None
    reference: str | None = Field(
        None, description="arm that this one is compared with, instead of the study's reference"
    )
    data: PartialRef | None = None
    teacher: Recipe | None = None
    student: Recipe | None = None
    baseline: Recipe | None = None
    control: ArmControl | None = None
    precision: Precision | None = None
    schedule: Schedule | None = None
    folds: int | None = Field(None, ge=1, description="teachers of a cross-fitted student; 1 = no folds")


class _Study(Frozen):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", description="unique in its store")
    title: str = ""
    data: VariantRef
    protocol: Protocol | None = Field(
        None, description="how predictions become metrics; null = the first of the data's task"
    )
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    reference: str | None = Field(None, description="arm that the others are compared with")
    runtime: Runtime = Runtime()
    launch: Launch = SerialLaunch()
    robustness: tuple[RobustnessProtocol, ...] = Field(
        (), description="what may be missing from test clips, or wrong with them; asked of every arm"
    )
    published: tuple[str, ...] = Field(
        (), description="data sets whose published results stand below the table, marked as such"
    )
    controls: tuple[str, ...] = Field(
        (), description=f"more arms, the base under a control: {', '.join(NAMED_CONTROLS)}"
    )
    bench: BenchSettings = BenchSettings()
    base: Template

    @field_validator("controls")
    @classmethod
    def _known_controls(cls, controls: tuple[str, ...]) -> tuple[str, ...]:
        for name in controls:
            if name not in NAMED_CONTROLS:
                raise ValueError(f"no control is called '{name}'; {nearest(name, NAMED_CONTROLS)}")
        return controls

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds repeat: {list(self.seeds)}")
        return self


class AblationStudy(_Study):
    """A base and named arms, each arm a few changes to the base, run under every seed."""

    kind: Literal["ablation"]
    arms: dict[str, Template] = Field(min_length=1)


class GridStudy(_Study):
    """A base and axes; every combination of the axes' values is an arm, run under every seed."""

    kind: Literal["grid"]
    axes: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        min_length=1, description="dotted path into the base, such as student.model.width, to values"
    )


class SearchStudy(_Study):
    """An ablation whose arms are tuned first: a search each, then what it chose under every seed.

    With several objectives an arm is reported as the points of its Pareto front, ``arm #number``.
    """

    kind: Literal["search"]
    arms: dict[str, Template] = Field(default={"searched": Template()}, min_length=1)
    search: SearchSettings = SearchSettings()

    @model_validator(mode="after")
    def _seeds_are_fresh(self) -> Self:
        if self.search.seed in self.seeds:
            raise ValueError(
                f"a choice is run again under fresh seeds, and {self.search.seed} of {list(self.seeds)} "
                "is the search's own (search.seed)"
            )
        return self

    @model_validator(mode="after")
    def _points_have_no_reference(self) -> Self:
        named = [self.reference, *(arm.reference for arm in self.arms.values())]
        if len(self.search.objective) > 1 and any(named):
            raise ValueError("an arm of several objectives becomes several rows: there is no reference")
        return self


Study = AblationStudy | GridStudy | SearchStudy

StudySpec = Annotated[Study, Field(discriminator="kind")]

STUDY_ADAPTER: TypeAdapter[Study] = TypeAdapter(StudySpec)
