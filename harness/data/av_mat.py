"""MATLAB files of two modalities and their labels, the layout of DSCMR."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from harness.data.pairs.assemble import cut_dataset, cut_fingerprint
from harness.data.pairs.clips import Clips, from_arrays
from harness.data.pairs.config import CutConfig
from harness.data.pairs.matlab import read_variable
from harness.data.pairs.source import Source, require_folder
from harness.data.parts.hashing import files_hash
from harness.registry import DATASETS
from harness.spec import BadInput
from harness.types import Dataset

SPLITS = ("train", "test")


class AvMatConfig(CutConfig):
    """Which folder, and which stem is which modality."""

    path: Path | None = Field(None, description="folder with train_img.mat and its like")
    vision: str = Field("img", min_length=1, description="stem of the view vision: train_<stem>.mat")
    audio: str = Field(
        "txt", min_length=1, description="stem of the view audio, be it sound or text: train_<stem>.mat"
    )

    @model_validator(mode="after")
    def _two_views(self) -> Self:
        if self.vision == self.audio:
            raise ValueError(f"audio: expected another stem than vision, given '{self.audio}' for both")
        return self


@DATASETS.register("av_mat", config=AvMatConfig, paper="files of DSCMR, Zhen et al., CVPR 2019", tiny={})
class AvMat:
    """A folder of .mat files, each with one variable of its own name, such as `train_img`.

    Labels are `<split>_<stem>_lab.mat` of either modality; where both are there they must be equal.
    """

    def __init__(self, config: AvMatConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that the files are there."""
        self._names()

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of the files that are read and the rule that cuts validation."""
        return cut_fingerprint(self._bytes_hash, self.config)

    def load(self) -> Dataset:
        """Train less validation, validation and test, checked."""
        train, test = (self._read(split) for split in SPLITS)
        stems = f"{self.config.vision} as vision, {self.config.audio} as audio"
        family = f"MATLAB files of the DSCMR family, {stems}"
        source = Source(self._folder(), family, self._bytes_hash)
        return cut_dataset(source, train, test, self.config)

    @cached_property
    def _bytes_hash(self) -> str:
        return files_hash(self._folder(), self._names())

    def _folder(self) -> Path:
        return require_folder(self.config.path, "a folder with .mat files")

    def _names(self) -> list[str]:
        """Names of the files that are read."""
        folder, stems = self._folder(), (self.config.vision, self.config.audio)
        features = [f"{split}_{stem}.mat" for split in SPLITS for stem in stems]
        for name in features:
            if not (folder / name).is_file():
                raise BadInput("no such file", file=folder / name, key="path")
        return [*features, *(f"{name}.mat" for split in SPLITS for name in self._labels(split))]

    def _labels(self, split: str) -> list[str]:
        """Names of the label variables of a split that are there."""
        names = [f"{split}_{stem}_lab" for stem in (self.config.vision, self.config.audio)]
        found = [name for name in names if (self._folder() / f"{name}.mat").is_file()]
        if not found:
            wanted = " or ".join(f"{name}.mat" for name in names)
            raise BadInput(f"no labels of {split}; expected {wanted}", file=self._folder(), key="path")
        return found

    def _read(self, split: str) -> Clips:
        folder = self._folder()
        names = (f"{split}_{self.config.audio}", f"{split}_{self.config.vision}", *self._labels(split))
        audio, vision, *labels = (read_variable(folder / f"{name}.mat", name) for name in names)
        return from_arrays(split, audio, vision, labels, self.config.fill_non_finite)
