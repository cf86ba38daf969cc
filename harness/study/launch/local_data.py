"""Data sets as a worker process reads them from its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.registry import DATASETS, discover
from harness.spec import BadInput, VariantRef
from harness.study.launch.base import Order

if TYPE_CHECKING:
    from harness.contracts import Reader
    from harness.types import Dataset


class LocalData:
    """The data sets of a worker's orders, each read once and kept."""

    def __init__(self) -> None:
        self._plugins: tuple[str, ...] | None = None
        self._loaded: dict[VariantRef, tuple[str, Dataset]] = {}

    def load(self, order: Order, ref: VariantRef) -> Dataset:
        """The data set that an order names.

        Raises:
            BadInput: it cannot be read, or is another one than the study was planned on.
        """
        if self._plugins != order.plugins:
            discover(order.plugins)
            self._plugins = order.plugins
        if ref not in self._loaded:
            reader: Reader = DATASETS.build(ref)
            reader.prepare()
            self._loaded[ref] = (reader.fingerprint(), reader.load())
        fingerprint, data = self._loaded[ref]
        if fingerprint != order.fingerprint:
            raise BadInput(
                f"the data changed since the study was planned: fingerprint {fingerprint}, expected "
                f"{order.fingerprint}; run the study again",
                key="data",
            )
        return data
