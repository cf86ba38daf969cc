"""One trial: everything that decides its numbers, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.spec.base import Frozen
from harness.spec.errors import nearest
from harness.spec.robustness import Condition, Missing
from harness.spec.task import TASKS, Protocol, TaskSpec, task_of
from harness.spec.variant import VariantRef

Role = Literal["teacher", "student", "baseline"]
"""Which of a study's recipes a trial trains."""

Control = Literal["none", "shuffled", "untrained", "constant", "label_echo"]
"""What stands in for a good teacher's outputs, so that a gain can be ascribed to what it knows.

``shuffled`` permutes them over the training clips: the advice keeps its distribution and loses its
meaning. ``untrained`` takes them from the teacher as it was initialised. ``constant`` says the mean
output of every clip. ``label_echo`` says the label itself, as score and as class logits.
"""

Schedule = Literal["two_stage", "joint"]
"""``two_stage``: the teacher is trained, selected and frozen before a student sees its outputs.
``joint``: both train in one loop, and the student follows the teacher as it stands at that step."""

Split = Literal["val", "test"]

Precision = Literal["32-true", "64-true", "bf16-mixed", "bf16-true", "16-mixed"]


class LossTerm(BaseModel):
    """The weight of one loss and its own parameters, flat: ``{weight: 0.5, temperature: 4}``.

    Over the first `warmup_epochs` the weight rises from 0, linearly with every step.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    weight: Annotated[float, Field(ge=0)] = 1.0
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0

    @property
    def params(self) -> dict[str, Any]:
        """Every key but `weight` and `warmup_epochs`."""
        return dict(self.model_extra or {})


class Optimisation(Frozen):
    """How a model is trained; the same fields for every role, so that budgets can be compared."""

    learning_rate: float = Field(1e-3, gt=0, description="peak rate of AdamW")
    weight_decay: float = Field(0.01, ge=0, description="decoupled decay, not on biases and norms")
    batch_size: int = Field(32, ge=1, description="clips a step; the last batch may be smaller")
    max_epochs: int = Field(30, ge=0, description="upper bound; 0 leaves the model as initialised")
    patience: int = Field(4, ge=1, description="epochs without a better monitor before stopping")
    warmup_fraction: float = Field(0.1, ge=0, lt=1, description="share of all steps with rising rate")
    clip_norm: float | None = Field(1.0, gt=0, description="bound of the gradient norm; null = none")
    monitor: str | None = Field(
        None, description="metric that selects the epoch, such as val/mae; null = the task's primary one"
    )
    select: Literal["best", "last"] = Field(
        "best", description="epoch whose weights are kept; last trains all epochs, whatever the monitor"
    )

    @field_validator("monitor")
    @classmethod
    def _only_validation(cls, monitor: str | None) -> str | None:
        if monitor is None:
            return None
        if not monitor.startswith("val/"):
            raise ValueError(
                f"selection looks at validation only: given '{monitor}', expected a metric "
                f"such as 'val/{monitor.rpartition('/')[2]}'"
            )
        metric = monitor.removeprefix("val/")
        known = {name for task in TASKS.values() for name in task.metrics}
        if metric not in known:
            raise ValueError(f"no metric is called '{metric}'; {nearest(metric, known)}")
        return monitor


Accelerator = Literal["cpu", "cuda", "mps", "auto"]


class Runtime(Frozen):
    """Where trials run; recorded with their results, but no part of their identity.

    The thread count is written down because it changes the last bits of a sum, and with them,
    after some hundred steps, every number.
    """

    accelerator: Accelerator = Field("cpu", description="cpu, cuda, mps, or auto for the best there is")
    threads: int | None = Field(
        None, ge=1, description="threads torch computes with; null = its default"
    )
    devices: int = Field(
        1, ge=1, description="devices that one trial trains on, its batches cut between them"
    )
    strategy: str = Field(
        "auto", description="how several devices train: auto, ddp or ddp_spawn, a whole model on each"
    )
    latency_seconds: float = Field(
        0.3, gt=0, le=60, description="least time over which a trial's latency is sampled"
    )


class TrialSpec(Frozen):
    """One training run, resolved: every parameter of every variant is written out.

    Attributes:
        teacher: the trial whose outputs the losses are advised by; None when no loss asks for
            advice, so a student without distillation is the same trial whatever teacher stands
            beside it.
        folds: into how many parts the training videos are cut for cross-fitting: so many teachers
            are trained, and each clip is advised by the one that did not see its video.
        fold: of a teacher of a cross-fitted student, the part that it does not see.
        labelled_fraction: share of the training clips whose labels may be read. The others train
            the losses that need a teacher's advice only, and are left out where there are none.
        splits: what the selected epoch is evaluated on; the trials of a search never see test.
        missing: what is taken from the training clips at every step; None = nothing.
        conditions: further ways in which the test clips are shown to the model that was selected.
    """

    role: Role
    data: VariantRef
    model: VariantRef
    losses: dict[str, LossTerm]
    optimisation: Optimisation = Optimisation()
    protocol: Protocol = "mmsa"
    precision: Precision = "32-true"
    seed: int = Field(0, ge=0)
    teacher: TrialSpec | None = None
    control: Control = "none"
    schedule: Schedule = "two_stage"
    folds: int = Field(1, ge=1)
    fold: int | None = Field(None, ge=0)
    labelled_fraction: float = Field(1.0, gt=0, le=1)
    splits: tuple[Split, ...] = ("val", "test")
    missing: Missing | None = None
    conditions: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _something_is_learnt(self) -> Self:
        if not self.losses and self.optimisation.max_epochs:
            raise ValueError(
                f"losses: none to train on for {self.optimisation.max_epochs} epochs; a model that is "
                "fitted in closed form has max_epochs 0"
            )
        if not self.losses and self.missing is not None:
            raise ValueError("missing: a model in closed form is fitted to whole clips; expected none")
        return self

    @model_validator(mode="after")
    def _distillation_is_consistent(self) -> Self:
        if self.control == "untrained" and self.teacher and self.teacher.optimisation.max_epochs:
            raise ValueError(
                "control 'untrained' is advised by a teacher of 0 epochs, given "
                f"max_epochs {self.teacher.optimisation.max_epochs}"
            )
        if self.control == "label_echo" and self.labelled_fraction < 1:
            raise ValueError(
                "control 'label_echo' says the labels of all clips, and labelled_fraction "
                f"{self.labelled_fraction} hides some"
            )
        if self.teacher is None:
            self._check_alone()
        elif self.schedule == "joint" and (self.control != "none" or self.folds > 1):
            what = f"control '{self.control}'" if self.control != "none" else f"folds {self.folds}"
            raise ValueError(
                f"{what} needs outputs of a finished teacher, and schedule 'joint' stores none"
            )
        elif self.fold is not None:
            raise ValueError(f"fold {self.fold} is a teacher's; a student of {self.folds} folds has all")
        return self

    def _check_alone(self) -> None:
        if self.control != "none":
            raise ValueError(
                f"control '{self.control}' alters a teacher's outputs, but no loss asks for them"
            )
        if self.schedule != "two_stage":
            raise ValueError(f"schedule '{self.schedule}' trains a teacher too, but no loss asks for it")
        if self.fold is None and self.folds > 1:
            raise ValueError(
                f"folds {self.folds} are of a student's teachers, but no loss asks for them"
            )
        if self.fold is not None and (self.fold >= self.folds or self.role != "teacher"):
            raise ValueError(
                f"expected a teacher's fold below {self.folds}, given a {self.role}'s fold {self.fold}"
            )

    @property
    def task(self) -> TaskSpec:
        """What it is about."""
        return task_of(self.protocol)

    @property
    def monitor(self) -> str:
        """The metric that selects its epoch."""
        primary = self.task.teachers_primary if self.role == "teacher" else self.task.primary
        return self.optimisation.monitor or f"val/{primary}"

    def advisers(self) -> tuple[TrialSpec, ...]:
        """The trials that have to be complete before this one: its teacher, or one a fold."""
        if self.teacher is None or self.schedule == "joint":
            return ()
        if self.folds == 1:
            return (self.teacher,)
        return tuple(
            self.teacher.model_copy(update={"folds": self.folds, "fold": fold})
            for fold in range(self.folds)
        )
