"""Who runs a study's trials, and how many at a time. No part of any trial's identity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.spec.base import Frozen


class SerialLaunch(Frozen):
    """One trial after the other, in the process of the command."""

    name: Literal["serial"] = "serial"


class ProcessesLaunch(Frozen):
    """Worker processes on this machine; the death of one does not take the others."""

    name: Literal["processes"] = "processes"
    workers: int | None = Field(None, ge=1, description="trials at a time; null = one a core, or a GPU")
    retries: int = Field(2, ge=0, description="runs after the death of a worker before a trial fails")


class RayLaunch(Frozen):
    """Workers on a Ray cluster; needs the extra ray."""

    name: Literal["ray"] = "ray"
    address: str | None = Field(
        None, description="of a cluster, such as auto or ray://host:10001; null = one on this machine"
    )
    workers: int | None = Field(
        None, ge=1, description="trials at a time; null = as many as the cluster holds"
    )
    cpus: float = Field(1, ge=0, description="cores a trial; a fraction shares one")
    gpus: float = Field(0, ge=0, description="GPUs a trial; a fraction shares one")
    retries: int = Field(2, ge=0, description="runs after the loss of a worker before a trial fails")


Launch = Annotated[SerialLaunch | ProcessesLaunch | RayLaunch, Field(discriminator="name")]
