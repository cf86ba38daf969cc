"""A folder with a NumPy file a clip and modality, and lists of the clips of each fold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from harness.data.pairs.assemble import cut_dataset, cut_fingerprint
from harness.data.pairs.clip_files import (
    ClipFiles,
    file_labels,
    find_files,
    folder_labels,
    lines,
    listed_labels,
)
from harness.data.pairs.clips import Clips
from harness.data.pairs.config import CutConfig
from harness.data.pairs.features import finite
from harness.data.pairs.labels import Labels, check_agreement
from harness.data.pairs.source import Source, require_folder
from harness.data.pairs.stored import Stored
from harness.data.parts.folds import Folded
from harness.data.parts.hashing import files_hash
from harness.registry import DATASETS
from harness.spec import BadInput
from harness.types import Dataset, Padded

IN_FOLDERS = "folders"


class AvNpyConfig(Folded, CutConfig):
    """Which folder, where its parts lie, and which fold is test."""

    path: Path | None = Field(None, description="folder with features, labels and fold lists")
    audio: str = Field("audio", description="folder of <id>.npy below path: sounds, (D,) or (T, D)")
    vision: str = Field("visual", description="folder of <id>.npy below path: pictures, (D,) or (T, D)")
    labels: str = Field(
        "labels.txt",
        description="below path: a file of lines `id label` or `id,label`, or a folder of <id>.npy; "
        "folders: each class is a folder within audio and within vision",
    )
    folds: str = Field("folds", description="folder of fold lists below path, one id a line")

    @model_validator(mode="after")
    def _below_path(self) -> Self:
        for name in ("audio", "vision", "labels", "folds"):
            given = PurePosixPath(getattr(self, name))
            if given.is_absolute() or ".." in given.parts or not given.name:
                raise ValueError(f"{name}: expected a name below path, given '{given}'")
        return self


@DATASETS.register(
    "av_npy",
    config=AvNpyConfig,
    paper="files of TNN-C-CCA, Zeng et al. 2020, arXiv 1908.03737",
    tiny={},
)
class AvNpy:
    """Clips as NumPy files known by their names, in folds that are lists of those names.

    One fold is test, all others train. Folds are numbered in the order of their lists' names; public
    code takes the order in which the disk has them, so that its fold 0 may be another one.
    """

    def __init__(self, config: AvNpyConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that the lists, the labels and each clip's files are there; no .npy file is opened."""
        self._names()

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of everything that is read and the rule that cuts validation."""
        return cut_fingerprint(self._bytes_hash, self.config)

    def load(self) -> Dataset:
        """Train less validation, validation and test, checked."""
        lists = self._lists()
        name = lists[self.config.tested].name
        family = f"NumPy features of single clips, {name} of {len(lists)} folds to test"
        source = Source(self._folder(), family, self._bytes_hash)
        ids = self._ids(lists)
        # All at once, so that whether labels are numbers or names is the same for both.
        labels = self._labels([*ids["train"], *ids["test"]])
        count = len(ids["train"])
        train = self._read("train", ids["train"], labels.take(np.arange(count)))
        rest = self._read("test", ids["test"], labels.take(np.arange(count, len(labels.values))))
        return cut_dataset(source, train, rest, self.config)

    @cached_property
    def _bytes_hash(self) -> str:
        return files_hash(self._folder(), self._names())

    @cached_property
    def _files(self) -> dict[str, ClipFiles]:
        in_classes = self.config.labels == IN_FOLDERS
        return {
            view: find_files(self._folder() / getattr(self.config, view), in_classes=in_classes)
            for view in ("audio", "vision")
        }

    def _folder(self) -> Path:
        return require_folder(self.config.path, "a folder with features, labels and fold lists")

    def _lists(self) -> list[Path]:
        """The fold lists in the order of their names."""
        folder = self._folder() / self.config.folds
        if not folder.is_dir():
            raise BadInput("no such folder", file=folder, key="folds")
        found = sorted(
            file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")
        )
        if len(found) < 2 or self.config.tested >= len(found):
            raise BadInput(
                f"expected a list for fold {self.config.tested} and others to train on, found "
                f"{len(found)} lists",
                file=folder,
                key="fold",
            )
        return found

    def _ids(self, lists: Sequence[Path]) -> dict[str, list[str]]:
        """The clips of train and of test."""
        test = lists[self.config.tested]
        ids = {
            "train": [clip for file in lists if file != test for clip in lines(file)],
            "test": lines(test),
        }
        for split, listed in ids.items():
            if not listed:
                message = "no clips in this split; expected at least one"
                raise BadInput(message, file=test.parent, key=split)
        return ids

    def _names(self) -> list[str]:
        """Everything that is read, below the folder."""
        root, lists = self._folder(), self._lists()
        ids = [clip for file in lists for clip in lines(file)]
        files = list(lists)
        for found in self._files.values():
            found.check(ids)
            files += [found.files[clip] for clip in ids]
        stored = root / self.config.labels
        if self.config.labels != IN_FOLDERS and stored.is_dir():
            found = find_files(stored, in_classes=False)
            found.check(ids)
            files += [found.files[clip] for clip in ids]
        elif self.config.labels != IN_FOLDERS:
            files.append(stored)
        return [file.relative_to(root).as_posix() for file in files]

    def _read(self, split: str, ids: Sequence[str], labels: Labels) -> Clips:
        audio, heard = self._view("audio", split, ids)
        vision, seen = self._view("vision", split, ids)
        return Clips(tuple(ids), tuple(ids), labels, audio, vision, (*heard, *seen))

    def _view(self, view: str, split: str, ids: Sequence[str]) -> tuple[Padded, tuple[str, ...]]:
        files = self._files[view]
        features, told = files.sequences(ids)
        place = Stored(files.folder, f"{split}.{view}", features.values.numpy())
        features, found = finite(place, features, ids, self.config.fill_non_finite)
        lengths = features.lengths
        steps = f"{place.key}: lengths {int(lengths.min())} to {int(lengths.max())}"
        return features, (*found, steps, *(f"{split}.{line}" for line in told))

    def _labels(self, ids: Sequence[str]) -> Labels:
        stored = self._folder() / self.config.labels
        if self.config.labels == IN_FOLDERS:
            seen, heard = (folder_labels(self._files[view], ids) for view in ("vision", "audio"))
            check_agreement(seen, heard)
            return seen
        if stored.is_dir():
            return file_labels(find_files(stored, in_classes=False), ids)
        return listed_labels(stored, ids)
