"""Embeddings that somebody learnt of sounds and pictures, an HDF5 file a fold."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pydantic import Field

from harness.data.pairs.assemble import cut_dataset, cut_fingerprint
from harness.data.pairs.clips import Clips, from_arrays, joined
from harness.data.pairs.config import CutConfig
from harness.data.pairs.hdf5 import read_array
from harness.data.pairs.source import Source, require_folder
from harness.data.parts.folds import Folded
from harness.data.parts.hashing import files_hash
from harness.registry import DATASETS
from harness.spec import BadInput
from harness.types import Dataset


class AvEmbeddingsConfig(Folded, CutConfig):
    """Which folder and fold."""

    path: Path | None = Field(
        None, description="folder with train_00s.h5 and test_00s.h5, or with 00s.h5, 01s.h5, ..."
    )
    suffix: str = Field("s", description="what follows the number of the fold in the files' names")


@dataclass(frozen=True)
class _Fold:
    """Names of files."""

    train: tuple[str, ...]
    test: str


@DATASETS.register(
    "av_embeddings",
    config=AvEmbeddingsConfig,
    paper="files of TNN-C-CCA, Zeng et al. 2020, arXiv 1908.03737",
    tiny={},
)
class AvEmbeddings:
    """Learnt embeddings of one fold: `featN1` of sounds, `featN2` of pictures, `testLs` of labels.

    `testLs` is the name of the labels in training files too. A fold is a pair of files, or one file to
    test on beside those of the other folds, which are then train. Whoever learnt the embeddings saw the
    clips of train: validation clips, which are cut from them, were not unseen.
    """

    def __init__(self, config: AvEmbeddingsConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that the files of the fold are there."""
        self._fold()

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of the fold's files and the rule that cuts validation."""
        return cut_fingerprint(self._bytes_hash, self.config)

    def load(self) -> Dataset:
        """Train less validation, validation and test, checked."""
        fold = self._fold()
        shown = f"{', '.join(fold.train)} to train, {fold.test} to test"
        source = Source(self._folder(), f"embeddings, {shown}", self._bytes_hash)
        train = joined([self._read(name) for name in fold.train])
        test = self._read(fold.test)
        return cut_dataset(source, train, test, self.config)

    @cached_property
    def _bytes_hash(self) -> str:
        fold = self._fold()
        return files_hash(self._folder(), [*fold.train, fold.test])

    def _folder(self) -> Path:
        return require_folder(self.config.path, "a folder with embeddings")

    def _fold(self) -> _Fold:
        folder, suffix = self._folder(), self.config.suffix
        there = sorted(file.name for file in folder.iterdir() if file.suffix == ".h5")
        for number in (f"{self.config.tested:02d}", str(self.config.tested)):
            train, test, alone = (f"{kind}{number}{suffix}.h5" for kind in ("train_", "test_", ""))
            if train in there and test in there:
                return _Fold((train,), test)
            if alone in there:
                pattern = re.compile(rf"\d+{re.escape(suffix)}\.h5")
                others = tuple(name for name in there if pattern.fullmatch(name) and name != alone)
                if others:
                    return _Fold(others, alone)
        names = f"{self.config.tested:02d}{suffix}.h5"
        found = ", ".join(there) or "no .h5 files"
        raise BadInput(
            f"expected train_{names} and test_{names}, or {names} beside other folds; found: {found}",
            file=folder,
            key="fold",
        )

    def _read(self, name: str) -> Clips:
        file = self._folder() / name
        audio, vision, labels = (read_array(file, key) for key in ("featN1", "featN2", "testLs"))
        # By the file, not the split: row 0 of another fold's test file is another clip.
        clips = from_arrays(file.stem, audio, vision, [labels], self.config.fill_non_finite)
        return replace(clips, findings=tuple(f"{name}: {line}" for line in clips.findings))
