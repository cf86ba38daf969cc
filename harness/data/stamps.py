"""Real pictures with recorded sound effects, from two Debian packages of programs for children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from harness.data.encoders.choice import PictureEncoderName, SoundEncoderName
from harness.data.parts.checks import SPLITS
from harness.data.parts.folds import Folded
from harness.data.parts.scaling import Standardise, standardise
from harness.data.parts.sequences import pad
from harness.data.stamp_packages.encoded import digest, encoded, identities
from harness.data.stamp_packages.folds import RULE, deal
from harness.data.stamp_packages.pictures import check_renderer
from harness.data.stamp_packages.stamps import CLASSES, Stamp, find_stamps
from harness.registry import DATASETS
from harness.spec import BadInput, TaskName
from harness.types import Batch, DataInfo, Dataset

_VIDEOS = "clips of one object's name are what these notes call a video"
"""For the footnotes: nothing here is a video, and intervals are over names."""


class StampsConfig(Folded):
    """Where the packages are, what encodes them, and which objects are for testing."""

    task: ClassVar[TaskName] = "retrieval"

    path: Path | None = Field(
        None, description="folder with tuxpaint/stamps and gcompris-qt/rcc; null = /usr/share"
    )
    audio: SoundEncoderName = Field(
        "log_mel", description="what encodes sounds; openwakeword needs the extra encoders"
    )
    vision: PictureEncoderName = Field(
        "statistics", description="what encodes pictures; efficientnet_lite0 needs the extra encoders"
    )
    folds: int = Field(5, ge=2, le=10, description="parts that the objects are dealt into, by class")
    validation: int = Field(
        5, ge=2, le=10, description="parts the other objects are dealt into; the first is validation"
    )
    standardise: Standardise = Field(
        "train", description="train: feature columns to mean 0, sd 1 over train clips; none"
    )


@DATASETS.register(
    "stamps",
    config=StampsConfig,
    paper="ours: Debian packages tuxpaint-stamps-default and gcompris-qt-data; one vector a modality, "
    "as VideoAdviser, arXiv 2309.15494, has them",
    tiny={"audio": "log_mel", "vision": "statistics"},
)
class Stamps:
    """Some 113 pictures with the sound of what they show: mammals, birds, instruments, household.

    Clips of one object are one group, whichever package and recording they are from; folds and
    validation split are dealt in whole groups by class (`stamp_packages.folds`). Class and origin are
    not independent: nearly all drawings are instruments, and nearly all photographs with background
    are farm animals, so a part of what is learnt from pictures is their style. Three of the sounds
    (giraffe, wombat, nandou) are digital silence, which no class can be told from.
    """

    def __init__(self, config: StampsConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that both packages and what encodes them are there."""
        self._check_fold()
        stamps = find_stamps(self.config.path)
        if any(stamp.suffix == ".svg" for stamp in stamps):
            check_renderer()
        self._encoders()

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of every sound and picture that is used, and over the encoders."""
        return digest(find_stamps(self.config.path), self._encoders())

    def load(self) -> Dataset:
        """Every sound and picture decoded and encoded once; T = 1."""
        stamps = find_stamps(self.config.path)
        found = digest(stamps, self._encoders())
        homes = self._splits(stamps)
        audio, vision = encoded(self.config.path, self.config.audio, self.config.vision, found)
        rows = {split: [i for i, home in enumerate(homes) if home == split] for split in SPLITS}
        train, valid, test = (_batch(stamps, audio, vision, rows[split]) for split in SPLITS)
        info = DataInfo(
            task="retrieval",
            label_range=(0.0, len(CLASSES) - 1.0),
            views=frozenset({"audio", "vision"}),
            classes=CLASSES,
            audio_width=audio.shape[1],
            vision_width=vision.shape[1],
            audio_steps=1,
            vision_steps=1,
            features="; ".join(("computed here", *self._encoders(), self._rule(), _VIDEOS)),
        )
        findings = (f"stamps, SHA-256 {found}", *self._findings(stamps, homes))
        data = Dataset(train, valid, test, info=info, findings=findings)
        return standardise(data) if self.config.standardise == "train" else data

    def _check_fold(self) -> None:
        """There is such a fold; where it is a trial's seed, the configuration could not know."""
        tested, folds = self.config.tested, self.config.folds
        if tested >= folds:
            raise BadInput(f"expected one of 0 to {folds - 1}, given {tested}", key="fold")

    def _splits(self, stamps: Sequence[Stamp]) -> list[str]:
        """The split of each stamp.

        Raises:
            BadInput: a class has too few objects to be in every split.
        """
        self._check_fold()
        config = self.config
        folds = deal([one.name for one in stamps], [one.category for one in stamps], config.folds)
        rest = [one for one in stamps if folds[one.name] != config.tested]
        parts = deal([one.name for one in rest], [one.category for one in rest], config.validation)
        homes = [
            "test" if folds[one.name] == config.tested else "train" if parts[one.name] else "valid"
            for one in stamps
        ]
        found = Counter((home, one.category) for home, one in zip(homes, stamps, strict=True))
        for split in SPLITS:
            for category in CLASSES:
                if not found[split, category]:
                    raise BadInput(
                        f"no object of the class '{category}' is left for {split}; expected fewer parts "
                        f"than folds {config.folds} and validation {config.validation}, or more stamps",
                        key="folds",
                    )
        return homes

    def _encoders(self) -> tuple[str, str]:
        return identities(self.config.audio, self.config.vision)

    def _findings(self, stamps: Sequence[Stamp], homes: Sequence[str]) -> tuple[str, ...]:
        clips, objects = (
            ", ".join(f"{name} {Counter(found)[name]}" for name in CLASSES)
            for found in (
                [one.category for one in stamps],
                [category for category, _ in {(one.category, one.name) for one in stamps}],
            )
        )
        sizes = ", ".join(f"{split} {list(homes).count(split)}" for split in SPLITS)
        return (
            f"clips: {clips}; objects: {objects}",
            f"fold {self.config.tested}: {sizes}",
            self._rule(),
        )

    def _rule(self) -> str:
        # Without the fold: the trials of a study differ in it, and a table has one footnote.
        return (
            f"one of {self.config.folds} folds is tested, one of {self.config.validation} parts of the "
            f"others is validation, both {RULE}"
        )


def _batch(stamps: Sequence[Stamp], audio: Tensor, vision: Tensor, rows: list[int]) -> Batch:
    return Batch(
        ids=tuple(stamps[row].id for row in rows),
        video_ids=tuple(stamps[row].name for row in rows),
        target=torch.tensor([CLASSES.index(stamps[row].category) for row in rows]),
        audio=pad([audio[row : row + 1] for row in rows]),
        vision=pad([vision[row : row + 1] for row in rows]),
    )
