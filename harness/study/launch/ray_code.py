"""The code that a job takes with it to the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.engine.environment import code_revision, package_versions
from harness.registry import REGISTRIES
from harness.study.launch.machine import thread_variables
from harness.study.launch.work import Shipped

_OURS = ("harness", "baselines")
_NOT_CODE = ["__pycache__/", "*.pyc"]


def job_environment(threads: int, modules: Iterable[str], empty: Path) -> dict[str, Any]:
    """What Ray sets up on every node: our packages, those of other modules, and threads of libraries.

    Of a module that is in no package its one file is sent. Libraries such as torch have to be installed
    there, in the versions of this machine. `empty` is a folder without files.
    """
    packages = dict.fromkeys((*_OURS, *(name.partition(".")[0] for name in modules)))
    return {
        # A job without a folder of its own has this one's, and code in it comes before what was sent.
        "working_dir": str(empty),
        "py_modules": [str(_path(package)) for package in packages],
        "excludes": _NOT_CODE,
        "env_vars": thread_variables(threads),
    }


def plugin_modules() -> tuple[str, ...]:
    """The modules outside of this repository that register variants, however they were found."""
    modules = {entry.builder.__module__ for registry in REGISTRIES.values() for entry in registry}
    return tuple(sorted(name for name in modules if name.partition(".")[0] not in _OURS))


def shipped() -> Shipped:
    """Which code this process has."""
    return Shipped(code_revision(), package_versions()["adviserbench"])


def _path(package: str) -> Path:
    """The folder of a package, or the file of a module that is none."""
    module = import_module(package)
    if hasattr(module, "__path__"):
        return Path(next(iter(module.__path__)))
    return Path(str(module.__file__))
