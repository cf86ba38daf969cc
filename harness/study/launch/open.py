"""The launcher that a study names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.spec import BadInput, Launch, ProcessesLaunch, RayLaunch, Runtime
from harness.study.launch.base import Launcher
from harness.study.launch.serial import SerialLauncher

if TYPE_CHECKING:
    from harness.study.launch.attempt import Data, Work


def open_launcher(launch: Launch, runtime: Runtime, data: Data, work: Work | None = None) -> Launcher:
    """The launcher, ready to take orders; whoever opens it calls `stop` in the end.

    Args:
        launch: which one, and its settings.
        runtime: of the study, which says what every worker gets of a machine.
        data: gives a data set that this process has loaded. Worker processes load theirs themselves.
        work: what a worker does with an order, a function that other processes can import; None = the
            trial is run.

    Raises:
        BadInput: there is no such cluster, Ray is not installed, or this system has no such workers.
    """
    if isinstance(launch, RayLaunch):
        return _on_ray(launch, runtime, data, work)
    if isinstance(launch, ProcessesLaunch):
        from harness.study.launch.processes import ProcessLauncher

        return ProcessLauncher(launch, runtime, work or _trial())
    return SerialLauncher(data, work or _trial())


def _on_ray(launch: RayLaunch, runtime: Runtime, data: Data, work: Work | None) -> Launcher:
    # Read when Ray is imported. Without it Ray tells standard output, where tables go, of lost workers.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        from harness.study.launch.ray_cluster import RayLauncher
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise BadInput(
            "Ray is not installed; it comes with pip install 'adviserbench[ray]'", key="launch.name"
        ) from error
    return RayLauncher(launch, runtime, data, work)


def _trial() -> Work:
    # Here, not on top: the trainer takes seconds to import.
    from harness.study.launch.work import work

    return work
