"""MMSA feature pickles, the files that most published MOSI, MOSEI and SIMS code reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator

from harness.data.parts.checks import (
    SPLITS,
    check_finite,
    check_labels,
    check_membership,
    non_finite,
    require_path,
)
from harness.data.parts.hashing import file_hash
from harness.data.parts.scaling import Standardise, standardise
from harness.data.parts.sequences import aligned, longest, steps
from harness.data.pickles.lengths import Padding, arrange, lengths
from harness.data.pickles.split import FEATURES, SplitReader, video_of
from harness.data.pickles.unpickle import read_pickle
from harness.registry import DATASETS
from harness.spec import BadInput, DataConfig
from harness.types import Batch, DataInfo, Dataset, Padded

_REMEDY = "; to read them as 0 set fill_non_finite: zero"


class MmsaConfig(DataConfig):
    """Which file, and how its oddities are to be read."""

    path: Path | None = Field(None, description="the pickle; there is no default")
    label_range: tuple[float, float] = Field(
        (-3.0, 3.0), description="lowest and highest label; SIMS has [-1, 1]"
    )
    standardise: Standardise = Field(
        "none", description="train: feature columns to mean 0, sd 1 over train steps; none: as stored"
    )
    fill_non_finite: Literal["refuse", "zero"] = Field(
        "refuse", description="zero: NaN and infinite features become 0, counted; refuse: an error"
    )
    padding: Padding = Field("end", description="side of audio and vision padding: end, or front")
    allow_shared_videos: bool = Field(False, description="accept a video with clips in two splits")

    @model_validator(mode="after")
    def _range_rises(self) -> Self:
        if self.label_range[0] >= self.label_range[1]:
            raise ValueError(f"label_range: expected lowest < highest, given {list(self.label_range)}")
        return self


@dataclass(frozen=True)
class _Split:
    batch: Batch
    findings: tuple[str, ...]


@DATASETS.register("mmsa", config=MmsaConfig, paper="MMSA, Mao et al. 2022, arXiv 2203.12441", tiny={})
class Mmsa:
    """A THUIAR / MMSA feature pickle: text, audio and vision features, aligned or not.

    Read without running code; sizes are those of the file, clips are known by their ids.
    """

    def __init__(self, config: MmsaConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that the file is there."""
        self._file()

    def fingerprint(self) -> str:
        """SHA-256 of the file's bytes."""
        return file_hash(self._file())

    def load(self) -> Dataset:
        """The three splits of the file, checked."""
        file = self._file()
        readers = _splits(file, read_pickle(file))
        ids = {split: readers[split].ids() for split in SPLITS}
        videos = {split: tuple(map(video_of, ids[split])) for split in SPLITS}
        found = check_membership(file, ids, videos, allow_shared_videos=self.config.allow_shared_videos)
        read = {split: self._read(readers[split], ids[split], videos[split]) for split in SPLITS}
        batches = {split: read[split].batch for split in SPLITS}
        _check_widths(readers, batches)
        findings = (f"MMSA features, SHA-256 {self.fingerprint()}", *found)
        told = (line for split in SPLITS for line in read[split].findings)
        train, valid, test = (batches[split] for split in SPLITS)
        data = Dataset(train, valid, test, info=self._info(batches), findings=(*findings, *told))
        return standardise(data) if self.config.standardise == "train" else data

    def _file(self) -> Path:
        file = require_path(self.config.path, "an MMSA feature pickle")
        if not file.is_file():
            raise BadInput("expected a file, found a folder", file=file, key="path")
        return file

    def _read(self, reader: SplitReader, ids: tuple[str, ...], videos: tuple[str, ...]) -> _Split:
        count = len(ids)
        texts = reader.strings("raw_text")
        if len(texts) != count:
            raise reader.fault(
                "raw_text", f"expected {count} strings, as many as ids, found {len(texts)}"
            )
        labels = reader.array("regression_labels", count).astype(np.float64)
        key = f"{reader.split}.regression_labels"
        check_labels(reader.file, key, labels, self.config.label_range)
        attention = reader.attention(count, reader.array("text", count, "L", "D").shape[1])
        views: dict[str, Any] = {}
        findings: list[str] = []
        for view in FEATURES:
            views[view], told = self._features(reader, view, count, attention)
            findings += told
        if attention is not None:
            views["token_ids"] = _token_ids(reader, count, attention)
        target = torch.from_numpy(labels).float()
        return _Split(Batch(ids, videos, target, transcripts=texts, **views), tuple(findings))

    def _features(
        self, reader: SplitReader, view: str, count: int, attention: NDArray[np.bool_] | None
    ) -> tuple[Padded, list[str]]:
        values = reader.array(view, count, "T", "D").astype(np.float32, copy=False)
        if 0 in values.shape:
            raise reader.fault(view, f"expected at least one step and column, found {values.shape}")
        findings = []
        if strange := non_finite(values):
            if self.config.fill_non_finite == "refuse":
                check_finite(reader.file, f"{reader.split}.{view}", values, _REMEDY)
            values = np.nan_to_num(values, nan=0, posinf=0, neginf=0)
            findings.append(f"{strange} among {values.size} values read as 0 (fill_non_finite)")
        exist, origin = lengths(reader, view, values.shape, attention)
        values, lost = arrange(reader, view, values, exist, self.config.padding)
        if lost:
            findings.append(f"{lost} clips have values outside their length; those are not read")
        findings.insert(0, f"{values.shape}, lengths {exist.min()} to {exist.max()} from {origin}")
        mask = steps(torch.from_numpy(exist), values.shape[1])
        prefix = f"{reader.split}.{view}: "
        return Padded(torch.from_numpy(values), mask), [prefix + line for line in findings]

    def _info(self, batches: Mapping[str, Batch]) -> DataInfo:
        train = batches["train"]
        has_ids = all(batch.token_ids is not None for batch in batches.values())
        sizes = {f"{view}_width": getattr(train, view).width for view in FEATURES}
        sizes |= {f"{view}_steps": longest(batches.values(), view) for view in FEATURES}
        return DataInfo(
            task="sentiment",
            label_range=self.config.label_range,
            views=frozenset({"transcript", *FEATURES, *(("token_ids",) if has_ids else ())}),
            is_aligned=aligned(batches.values(), FEATURES),
            train_transcripts=train.transcripts or (),
            features=f"those of the file, SHA-256 {self.fingerprint()[:12]}, by whoever made it",
            **sizes,
        )


def _splits(file: Path, content: object) -> dict[str, SplitReader]:
    """The readers of the three splits; other keys beside them, such as `config`, are not data."""
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise BadInput(f"expected a dict of {', '.join(SPLITS)}, found {kind}", file=file, key="path")
    for split in SPLITS:
        if split not in content:
            found = ", ".join(map(str, content)) or "none"
            raise BadInput(f"no such key; found: {found}", file=file, key=split)
        if not isinstance(content[split], Mapping):
            kind = type(content[split]).__name__
            raise BadInput(f"expected a dict of keys, found {kind}", file=file, key=split)
    return {split: SplitReader(file, split, content[split]) for split in SPLITS}


def _token_ids(reader: SplitReader, count: int, attention: NDArray[np.bool_]) -> Padded:
    """(N, L) ids of row 0 of `text_bert`, 0 where no token exists."""
    ids = np.where(attention, reader.token_ids(count, attention.shape[1]), 0)
    return Padded(torch.from_numpy(ids), torch.from_numpy(attention))


def _check_widths(readers: Mapping[str, SplitReader], batches: Mapping[str, Batch]) -> None:
    for view in FEATURES:
        expected = getattr(batches["train"], view).width
        for split in SPLITS[1:]:
            found = getattr(batches[split], view).width
            if found != expected:
                raise readers[split].fault(
                    view, f"expected {expected} columns as in train, found {found}"
                )
