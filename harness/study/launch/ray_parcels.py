"""Orders made ready for machines that have none of the runner's files."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

from harness.spec import VariantRef
from harness.study.launch.base import Order
from harness.study.launch.ray_worker import Parcel

if TYPE_CHECKING:
    from harness.study.launch.attempt import Data

ADVICE_KEPT = 16
"""Files of teachers' outputs that stay in the object store for the next student."""


class Packer:
    """Puts what orders need into the object store, a data set once, and leaves a mark on this disk.

    `token` is of this runner alone.
    """

    def __init__(self, data: Data, threads: int, plugins: tuple[str, ...]) -> None:
        self._read, self._threads, self._plugins = data, threads, plugins
        self._data: dict[VariantRef, Any] = {}
        self._advice = lru_cache(maxsize=ADVICE_KEPT)(_content)
        self.token = uuid.uuid4().hex
        self._marks: set[Path] = set()

    def pack(self, order: Order) -> Parcel:
        """The order with its data.

        Raises:
            OSError: a file of advice cannot be read, or the work folder cannot be written.
        """
        ref = order.spec.data
        if ref not in self._data:
            self._data[ref] = ray.put(self._read(ref))
        sent = replace(
            order,
            runtime=order.runtime.model_copy(update={"threads": self._threads}),
            work=order.work.absolute(),
            cache=order.cache.absolute(),
            outbox=order.outbox.absolute(),
            plugins=tuple(sorted({*order.plugins, *self._plugins})),
        )
        advice = tuple(None if path is None else self._advice(path) for path in order.advice)
        return Parcel(sent, self._data[ref], advice, self._mark(order.work.parent))

    def close(self) -> None:
        """Takes the marks away."""
        for mark in self._marks:
            with contextlib.suppress(OSError):
                mark.unlink(missing_ok=True)

    def _mark(self, folder: Path) -> Path:
        mark = folder.absolute() / f".runner-{self.token}"
        if mark not in self._marks:
            folder.mkdir(parents=True, exist_ok=True)
            mark.touch()
            self._marks.add(mark)
        return mark


def _content(path: Path) -> Any:
    return ray.put(path.read_bytes())
