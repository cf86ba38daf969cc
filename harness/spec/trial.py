"""One trial: everything that decides its numbers, and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.spec.base import Frozen
from harness.spec.errors import nearest
from harness.spec.task import TASKS, Protocol
from harness.spec.variant import VariantRef

Role = Literal["teacher", "student", "baseline"]
"""Which of a study's recipes a trial trains."""

Control = Literal["none", "shuffled"]
"""What is done to a teacher's outputs before a student sees them.

``shuffled`` permutes them over the training clips: the advice keeps its distribution and loses its
meaning, so a student that still gains did not gain from the teacher.
"""

Precision = Literal["32-true", "64-true", "bf16-mixed", "bf16-true", "16-mixed"]


class LossTerm(BaseModel):
    """The weight of one loss and its own parameters, flat: ``{weight: 0.5, temperature: 4}``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    weight: Annotated[float, Field(ge=0)] = 1.0

    @property
    def params(self) -> dict[str, Any]:
        """Every key but `weight`."""
        return dict(self.model_extra or {})


class Optimisation(Frozen):
    """How a model is trained; the same fields for every role, so that budgets can be compared."""

    learning_rate: float = Field(1e-3, gt=0, description="peak rate of AdamW")
    weight_decay: float = Field(0.01, ge=0, description="decoupled decay, not on biases and norms")
    batch_size: int = Field(32, ge=1, description="clips a step; the last batch may be smaller")
    max_epochs: int = Field(30, ge=1, description="upper bound; early stopping may end sooner")
    patience: int = Field(4, ge=1, description="epochs without a better monitor before stopping")
    warmup_fraction: float = Field(0.1, ge=0, lt=1, description="share of all steps with rising rate")
    clip_norm: float | None = Field(1.0, gt=0, description="bound of the gradient norm; null = none")
    monitor: str = Field("val/mae", description="metric that selects the epoch; must start with val/")

    @field_validator("monitor")
    @classmethod
    def _only_validation(cls, monitor: str) -> str:
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
    latency_seconds: float = Field(
        0.3, gt=0, le=60, description="least time over which a trial's latency is sampled"
    )


class TrialSpec(Frozen):
    """One training run, resolved: every parameter of every variant is written out.

    `teacher` is the trial whose outputs the losses are advised by; it is None when no loss asks for
    advice, so a student without distillation is the same trial whatever teacher stands beside it.
    """

    role: Role
    data: VariantRef
    model: VariantRef
    losses: dict[str, LossTerm] = Field(min_length=1)
    optimisation: Optimisation = Optimisation()
    protocol: Protocol = "mmsa"
    precision: Precision = "32-true"
    seed: int = Field(0, ge=0)
    teacher: TrialSpec | None = None
    control: Control = "none"

    @model_validator(mode="after")
    def _control_needs_a_teacher(self) -> Self:
        if self.control != "none" and self.teacher is None:
            raise ValueError(
                f"control '{self.control}' alters a teacher's outputs, but no loss asks for them"
            )
        return self
