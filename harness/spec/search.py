"""How a search proposes trials, gives up on some, and what it looks at."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.spec.base import Frozen
from harness.spec.errors import nearest
from harness.spec.metric import METRICS
from harness.spec.space import Space
from harness.spec.task import TASKS

COSTS = ("latency_ms", "parameters")
"""Objectives beside quality: no label is read for them."""


class TpeSampler(Frozen):
    """Tree-structured Parzen estimator: a density of good values over one of the others."""

    name: Literal["tpe"] = "tpe"
    startup_trials: int = Field(10, ge=1, description="random trials before the first estimate")
    multivariate: bool = Field(True, description="one joint density instead of one a parameter")


class RandomSampler(Frozen):
    """Independent draws: the search that any other has to beat."""

    name: Literal["random"] = "random"


class CmaEsSampler(Frozen):
    """Covariance matrix adaptation; choices and conditional parameters are drawn at random."""

    name: Literal["cmaes"] = "cmaes"
    sigma: float | None = Field(None, gt=0, description="first step size; null = a sixth of the range")
    population: int | None = Field(None, ge=2, description="trials a generation; null = by dimension")


class Nsga2Sampler(Frozen):
    """The genetic algorithm NSGA-II, for more than one objective."""

    name: Literal["nsga2"] = "nsga2"
    population: int = Field(10, ge=2, description="trials a generation")


Sampler = Annotated[
    TpeSampler | RandomSampler | CmaEsSampler | Nsga2Sampler, Field(discriminator="name")
]


class NoPruner(Frozen):
    """Every trial runs to its end."""

    name: Literal["none"] = "none"


class MedianPruner(Frozen):
    """Gives a trial up whose best value so far is worse than the median of the others at that epoch."""

    name: Literal["median"] = "median"
    startup_trials: int = Field(5, ge=1, description="complete trials before any is given up")
    warmup_epochs: int = Field(1, ge=0, description="epochs before a trial can be given up")


class HyperbandPruner(Frozen):
    """Successive halving in several brackets (arXiv 1603.06560)."""

    name: Literal["hyperband"] = "hyperband"
    min_epochs: int = Field(1, ge=1, description="epochs that every trial has")
    reduction_factor: int = Field(3, ge=2, description="one in so many goes on")


Pruner = Annotated[NoPruner | MedianPruner | HyperbandPruner, Field(discriminator="name")]


class SearchSettings(Frozen):
    """The search of every arm: the same budget, sampler and pruner for all of them.

    Proposals look at the results of earlier rounds only, never at who happened to finish first. So a
    search is the same under every launcher and number of workers, and after any interruption.
    """

    trials: int = Field(30, ge=1, description="trials an arm, given up ones and failures included")
    at_once: int = Field(4, ge=1, description="trials a round: proposed from the same results")
    seed: int = Field(1000, ge=0, description="of the sampler and of all trials of the search")
    objective: tuple[str, ...] = Field(
        ("val/mae",),
        min_length=1,
        max_length=3,
        description=f"val/<metric>; for a Pareto front a list, with {' or '.join(COSTS)}",
    )
    sampler: Sampler = TpeSampler()
    pruner: Pruner = NoPruner()
    space: dict[str, Space | None] = Field(
        {}, description="dotted path, such as student.model.width, to its space; null = not searched"
    )
    finalists: int | None = Field(
        None, ge=1, description="points of a Pareto front that are run again; null = all"
    )
    storage: str | None = Field(
        None, description="Optuna storage URL; null = a journal file in the output folder"
    )

    @field_validator("objective", mode="before")
    @classmethod
    def _one_or_more(cls, objective: Any) -> Any:
        return (objective,) if isinstance(objective, str) else objective

    @field_validator("objective")
    @classmethod
    def _only_validation(cls, objectives: tuple[str, ...]) -> tuple[str, ...]:
        for objective in objectives:
            metric = objective.removeprefix("val/")
            if objective not in COSTS and metric == objective:
                raise ValueError(
                    f"a search looks at validation only: given '{objective}', expected a metric "
                    f"such as 'val/{metric.rpartition('/')[2]}', or {' or '.join(COSTS)}"
                )
            known = {name for task in TASKS.values() for name in task.metrics}
            if objective not in COSTS and metric not in known:
                raise ValueError(f"no metric is called '{metric}'; {nearest(metric, known)}")
        if len(set(objectives)) < len(objectives):
            raise ValueError(f"objectives repeat: {list(objectives)}")
        if all(objective in COSTS for objective in objectives):
            raise ValueError(f"an objective has to be of quality, given {list(objectives)}")
        return objectives

    @model_validator(mode="after")
    def _sampler_fits(self) -> Self:
        several = len(self.objective) > 1
        if several and self.sampler.name == "cmaes":
            raise ValueError(f"cmaes has one objective, given {list(self.objective)}; nsga2 has several")
        if several and self.pruner.name != "none":
            raise ValueError(
                f"a pruner compares one objective, given {list(self.objective)}; take pruner none"
            )
        if not several and self.finalists is not None:
            raise ValueError("finalists are of a Pareto front, and there is one objective")
        return self

    @property
    def directions(self) -> tuple[Literal["lower", "higher"], ...]:
        """Which way is better, an objective each."""
        return tuple(METRICS[name.removeprefix("val/")].direction for name in self.objective)
