"""The classes of a data set: which labels they are, and under which index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.pairs.labels import Labels
from harness.data.parts.checks import SPLITS
from harness.types import Batch


@dataclass(frozen=True)
class Classes:
    """The K classes of the training clips.

    Attributes:
        labels: (K,) as stored, ascending.
        names: K names, in that order.
    """

    labels: NDArray[Any]
    names: tuple[str, ...]

    def index(self, labels: Labels) -> NDArray[np.int64]:
        """(N,) positions of labels among the classes.

        Raises:
            BadInput: a label that no training clip has.
        """
        unknown = labels.values[~np.isin(labels.values, self.labels)]
        if len(unknown):
            raise labels.fault(
                f"{len(unknown)} of {len(labels.values)} labels are of a class that train lacks, "
                f"such as {unknown[0]}; "
                f"expected a class of train: {', '.join(map(str, self.labels))}"
            )
        return np.searchsorted(self.labels, labels.values).astype(np.int64)

    def findings(self, batches: Mapping[str, Batch]) -> tuple[str, ...]:
        """How labels became indices where they are others, and how many clips each class has."""
        count = len(self.labels)
        numbers = [str(number) for number in range(count)]
        stored = [str(label) for label in self.labels]
        mapping = () if stored == numbers else (f"classes 0 to {count - 1} are {', '.join(stored)}",)
        clips = {split: Counter(batches[split].target.tolist()) for split in SPLITS}
        each = (
            f"{name} {'/'.join(str(clips[split][index]) for split in SPLITS)}"
            for index, name in enumerate(self.names)
        )
        return (*mapping, f"{count} classes, clips of train/valid/test: {'; '.join(each)}")


def find_classes(labels: Labels, names: Sequence[str] = ()) -> Classes:
    """The classes of training labels; their names are the labels where none are given.

    Raises:
        BadInput: fewer than two classes, or not as many as names.
    """
    found = np.unique(labels.values)
    if len(found) < 2:
        raise labels.fault(f"expected at least two classes, found only {found[0]}")
    if names and len(names) != len(found):
        raise labels.fault(
            f"expected {len(names)} classes, as many as classes has names, found {len(found)}: "
            f"{', '.join(map(str, found))}"
        )
    return Classes(found, tuple(names) or tuple(map(str, found)))
