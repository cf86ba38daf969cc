"""The connection to a Ray cluster, and how many trials it holds."""

from __future__ import annotations

import logging
import os
import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from harness.spec import BadInput, RayLaunch
from harness.study.launch.ray_code import job_environment

_COUNT_SECONDS = 2.0
_KNOCK_SECONDS = 10.0
_LONGEST_CAUSE = 200

log = logging.getLogger(__name__)


class Cluster:
    """A cluster that this process is connected to, or has started."""

    def __init__(self, launch: RayLaunch, threads: int, modules: tuple[str, ...]) -> None:
        """Connects, and sends the code of `modules` beside ours.

        Raises:
            BadInput: there is no such cluster, or no place on this machine for a single trial.
        """
        self._launch = launch
        self._counted, self._places = float("-inf"), 0
        _connect(launch, threads, modules)
        if self._held() == 0:
            self._say_that_none_fits()

    def places(self) -> int:
        """How many trials it holds now; one if it holds none, so that it is asked to grow."""
        if time.monotonic() - self._counted > _COUNT_SECONDS:
            self._counted, self._places = time.monotonic(), self._held()
        return max(1, self._places)

    def worker(self, kind: type, *inputs: Any) -> Any:
        """An actor with the resources of one trial, that Ray does not start again."""
        options = {"num_cpus": self._launch.cpus, "num_gpus": self._launch.gpus}
        return ray.remote(kind).options(**options, max_restarts=0, max_task_retries=0).remote(*inputs)

    def beside_runner(self, kind: type) -> Any:
        """An actor on this machine if it is a node, that takes nothing from trials."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        options = {"num_cpus": 0, "max_restarts": -1, "scheduling_strategy": here}
        return ray.remote(kind).options(**options).remote()

    def close(self) -> None:
        """Disconnects; a cluster that was started here ends."""
        ray.shutdown()

    def _held(self) -> int:
        nodes = (node["Resources"] for node in ray.nodes() if node["Alive"])
        return sum(trials_held(node, self._launch.cpus, self._launch.gpus) for node in nodes)

    def _say_that_none_fits(self) -> None:
        asked = f"{self._launch.cpus:g} cores and {self._launch.gpus:g} GPUs"
        if self._launch.address is None:
            ray.shutdown()
            raise BadInput(f"this machine has no place for a trial with {asked}", key="launch")
        log.warning("no node of the cluster has %s for a trial; waiting for one that has", asked)


def trials_held(resources: dict[str, float], cpus: float, gpus: float) -> int:
    """How many trials a node has the resources for."""
    asked = {"CPU": cpus, "GPU": gpus} if cpus or gpus else {"CPU": 1.0}
    # The quotient of 1 and 0.1 is to be 10.
    return min(int(resources.get(kind, 0) / each + 1e-9) for kind, each in asked.items() if each)


def cause(fault: Exception) -> str:
    """An exception as one line."""
    root = fault.cause if isinstance(fault, RayTaskError) else fault
    said = " ".join(str(root).split())
    if isinstance(root, RayActorError):
        said = said.rpartition("The actor is dead because ")[2]
    elif not isinstance(root, OSError):
        said = f"{type(root).__name__}: {said}"
    return said if len(said) <= _LONGEST_CAUSE else f"{said[:_LONGEST_CAUSE]}..."


def _connect(launch: RayLaunch, threads: int, modules: tuple[str, ...]) -> None:
    if ray.is_initialized():
        raise BadInput("this process is connected to a Ray cluster already", key="launch")
    where: dict[str, Any] = {"address": launch.address}
    if launch.address is not None:
        _check_that_somebody_listens(launch.address)
    else:
        where = {"address": "local", "include_dashboard": False}
        # A cluster of ours reports to nobody.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with TemporaryDirectory(prefix="adviserbench-") as empty:
            ray.init(
                **where,
                runtime_env=job_environment(threads, modules, Path(empty)),
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except (ConnectionError, RuntimeError, ValueError) as fault:
        reason = " ".join(str(fault).split())[:_LONGEST_CAUSE]
        raise BadInput(f"no Ray cluster at {launch.address}: {reason}", key="launch.address") from fault


def _check_that_somebody_listens(address: str) -> None:
    """Ray would try for ten minutes. An address without a port, such as ``auto``, is Ray's to find."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
    except OSError as fault:
        raise BadInput(f"no Ray cluster at {address}: {fault}", key="launch.address") from fault
