"""What measuring processes answered, kept until their bench is written: a killed one goes on from it."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import ArrowException
from pydantic import TypeAdapter, ValidationError

from harness.engine.bench.order import Alone, Order, Together
from harness.registry import installed_plugins
from harness.spec import Environment, MachineState, digest

PACKAGES = ("harness", "baselines")
"""Whose sources decide what is measured, beside the libraries."""

_ALONE = TypeAdapter(Alone)
_DIGITS = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """A folder of answers, addressed by what they are answers to.

    The address is a hash of the order (rows with their trials, back ends and checkpoints, clips,
    settings, number of the process) and of what all orders of a bench share, so that nothing in the
    folder is ever out of date: other code, another machine or other clips have other addresses.

    Attributes:
        folder: where they are; made when the first is kept.
        shared: what all orders share: code, libraries, machine.
    """

    folder: Path
    shared: str

    def alone(self, order: Order) -> Alone | None:
        """The answer of a process that had the order's first row for itself; None if there is none."""
        with suppress(OSError, ValidationError):
            return _ALONE.validate_json(self._file(order, "alone").read_bytes())
        return None

    def together(self, order: Order) -> Together | None:
        """The answer of a process that timed all rows; None if there is none."""
        file = self._file(order, "together")
        with suppress(OSError, ValidationError, ArrowException):
            machine = MachineState.model_validate_json(file.read_bytes())
            return Together(machine, pd.read_parquet(file.with_suffix(".parquet")))
        return None

    def keep_alone(self, order: Order, found: Alone) -> None:
        """Keeps an answer."""
        self._write(self._file(order, "alone"), _ALONE.dump_json(found))

    def keep_together(self, order: Order, found: Together) -> None:
        """Keeps an answer; the samples first, so that whoever finds the machine finds them."""
        file = self._file(order, "together")
        self._write(file.with_suffix(".parquet"), found.samples.to_parquet(None, index=False))
        self._write(file, found.machine.model_dump_json().encode())

    def _file(self, order: Order, kind: str) -> Path:
        known = {"kind": kind, "shared": self.shared, **_told(order)}
        return self.folder / f"{digest(known, _DIGITS)}.json"

    def _write(self, file: Path, content: bytes) -> None:
        """In one rename; a disk that takes no more costs what could have been gone on from, no bench."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(f".{os.getpid()}.partial")
            partial.write_bytes(content)
            partial.replace(file)
        except OSError as error:
            log.warning(
                "%s cannot be kept (%s): an interrupted bench would not go on from it", file, error
            )


def forget(folder: Path) -> None:
    """Lets go of all answers that are kept in a folder."""
    shutil.rmtree(folder, ignore_errors=True)


def shared_by_orders(plugins: Iterable[str], where: Environment) -> str:
    """What decides all answers of a bench: sources, committed or not, libraries, and the machine.

    Args:
        plugins: modules that register variants, beside those that are installed as plug-ins.
        where: the machine.
    """
    code = [each for name in (*PACKAGES, *installed_plugins(), *plugins) for each in _code(name)]
    known = {"code": code, "libraries": _libraries(), "where": where.model_dump(mode="json")}
    return digest(known, _DIGITS)


def _told(order: Order) -> dict[str, Any]:
    rows = [
        {
            "name": row.name,
            "trial": row.trial_id,
            "backend": row.backend.model_dump(mode="json"),
            "checkpoint": row.checkpoint and _hash(row.checkpoint),
            "quality": dict(row.quality),
        }
        for row in order.entrants
    ]
    return {
        "rows": rows,
        "clips": [(one.data.test.ids, one.check.ids) for one in order.material.values()],
        "settings": order.settings.model_dump(mode="json"),
        "accelerator": order.accelerator,
        "number": order.number,
    }


def _hash(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _libraries() -> list[str]:
    """All that is installed: which libraries a back end or a plug-in calls, is for them to know."""
    return sorted({f"{found.name} {found.version}" for found in distributions()})


def _code(module: str) -> list[str]:
    """The hash of each file of a module, of a package those of all its parts, by its place in it."""
    spec = find_spec(module)
    if spec is None:
        return []
    if spec.submodule_search_locations is None:
        return [f"{module} {_hash(Path(spec.origin))}"] if spec.origin else []
    return [
        f"{module} {file.relative_to(place).as_posix()} {_hash(file)}"
        for place in map(Path, spec.submodule_search_locations)
        for file in sorted(place.rglob("*.py"))
    ]
