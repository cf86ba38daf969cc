"""One HDF5 file with arrays of train and test, as DCLMA and its relatives read."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic import Field

from harness.data.pairs.assemble import cut_dataset, cut_fingerprint
from harness.data.pairs.clips import Clips, from_arrays
from harness.data.pairs.config import CutConfig
from harness.data.pairs.hdf5 import read_array
from harness.data.pairs.source import Source, require_file
from harness.data.parts.hashing import file_hash
from harness.registry import DATASETS
from harness.types import Dataset


class AvHdf5Config(CutConfig):
    """Which file, and how it is cut and scaled."""

    path: Path | None = Field(
        None, description="HDF5 file such as vegas_feature_norm.h5; there is no default"
    )


@DATASETS.register(
    "av_hdf5",
    config=AvHdf5Config,
    paper="files of DCLMA (Zhang et al.), after TNN-C-CCA, Zeng et al. 2020, arXiv 1908.03737",
    tiny={},
)
class AvHdf5:
    """VEGAS or AVE features in one HDF5 file of six arrays, read as they are stored.

    Data sets: `audio_train`, `visual_train`, `lab_train` and the same of test; features (N, D) or
    (N, T, D), labels (N,), (N, 1) or one-hot (N, K). Which label is which event the files do not say:
    name them with `classes`.
    """

    def __init__(self, config: AvHdf5Config) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that the file is there."""
        self._file()

    def fingerprint(self) -> str:
        """SHA-256 over the file's bytes and the rule that cuts validation."""
        return cut_fingerprint(self._bytes_hash, self.config)

    def load(self) -> Dataset:
        """Train less validation, validation and test, checked."""
        source = Source(self._file(), "HDF5 features of the DCLMA family", self._bytes_hash)
        return cut_dataset(source, self._read("train"), self._read("test"), self.config)

    @cached_property
    def _bytes_hash(self) -> str:
        return file_hash(self._file())

    def _file(self) -> Path:
        return require_file(self.config.path, "an HDF5 file of audio-visual features")

    def _read(self, split: str) -> Clips:
        file = self._file()
        audio, vision, labels = (
            read_array(file, f"{what}_{split}") for what in ("audio", "visual", "lab")
        )
        return from_arrays(split, audio, vision, [labels], self.config.fill_non_finite)
