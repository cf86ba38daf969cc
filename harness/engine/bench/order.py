"""What a measuring process is told, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from harness.spec import (
    SAMPLE_COLUMNS,
    Accelerator,
    BenchRow,
    BenchSettings,
    MachineState,
    TrialSpec,
    VariantRef,
)
from harness.types import Batch, Dataset

Groups = Sequence[Sequence[int]]
"""Places of clips among those that are timed."""


@dataclass(frozen=True)
class Entrant:
    """An arm on a back end.

    Attributes:
        name: of its row.
        checkpoint: None for weights as they are initialised.
        quality: metrics of the same checkpoint, by ``test/<metric>``.
    """

    name: str
    arm: str
    spec: TrialSpec
    backend: VariantRef
    trial_id: str
    checkpoint: Path | None = None
    quality: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_eager(self) -> bool:
        """Whether torch calls the model as it is."""
        return self.backend.name == "eager"


@dataclass(frozen=True)
class Material:
    """One data set as measuring processes need it.

    Attributes:
        data: test has the clips that are timed, in the order of their groups; train and valid are empty
            of meaning, and no model is fitted here.
        check: clips that back ends are compared on.
    """

    data: Dataset
    check: Batch


@dataclass(frozen=True)
class Order:
    """Everything that is to be measured, or one row of it.

    Attributes:
        entrants: rows; the first is measured alone by a process for one row.
        material: by the data set as trials name it.
        transcripts: folder with a file a clip, ``<place>.txt``.
        number: of the process, which decides where its rounds begin.
    """

    settings: BenchSettings
    entrants: tuple[Entrant, ...]
    material: Mapping[VariantRef, Material]
    transcripts: Path
    accelerator: Accelerator
    number: int = 0

    def groups(self, batch: int) -> Groups:
        """The places of the clips that are called on together, in the order that everybody has.

        With one clip a call a group's number is the clip's place. Every clip is in one group, but for
        those that are too few for another one.
        """
        count = len(next(iter(self.material.values())).data.test)
        places = range(count)
        whole = len(places) - len(places) % batch
        return tuple(tuple(places[start : start + batch]) for start in range(0, whole, batch))


@dataclass(frozen=True)
class Alone:
    """What a process found of one row, which it had for itself.

    Attributes:
        notes: how its clips are read, and whether energy can be.
    """

    row: BenchRow
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Together:
    """What a process found of all rows."""

    machine: MachineState
    samples: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(SAMPLE_COLUMNS)))
