"""Video clips on disk with a label.csv, the layout of the raw CMU-MOSI, MOSEI and SIMS data."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from harness.contracts import ClipReading
from harness.data.clips.extractors import Extractors, extractors
from harness.data.clips.extractors.identity import extractors_identity
from harness.data.clips.features import ClipFeatures
from harness.data.clips.labels import ClipRow, LabelTable, read_labels
from harness.data.clips.media import read_media, read_sound
from harness.data.clips.noise import blurred, hissing
from harness.data.clips.staged import RECORDED, Stages, channels_first, listened
from harness.data.clips.tracks import seconds
from harness.data.parts.checks import SPLITS, check_labels, check_membership, require_path
from harness.data.parts.hashing import files_hash
from harness.data.parts.scaling import like_train, standardise
from harness.data.parts.sequences import longest, pad
from harness.paged import empty_paged
from harness.registry import DATASETS
from harness.spec import BadInput, Condition, View, digest
from harness.types import Batch, DataInfo, Dataset, Padded

VIEWS: frozenset[View] = RECORDED | {"transcript"}


class RawClipsConfig(ClipFeatures):
    """Where the clips are and how they are decoded."""

    path: Path | None = Field(None, description="folder with label.csv and Raw/<video_id>/<clip_id>.mp4")
    frames: int = Field(8, ge=1, le=256, description="T, taken evenly from each clip")
    size: int = Field(64, ge=8, le=1024, description="H = W, pixels after resizing")
    sample_rate: int = Field(16000, ge=4000, le=48000, description="samples a second after resampling")
    label_range: tuple[float, float] = Field((-3.0, 3.0), description="lowest and highest label")
    allow_shared_videos: bool = Field(False, description="accept a video with clips in two splits")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.label_range[0] >= self.label_range[1]:
            raise ValueError(f"label_range: expected lowest < highest, given {list(self.label_range)}")
        if self.size % self.grid:
            raise ValueError(f"grid: expected a divisor of size {self.size}, given {self.grid}")
        return self


@DATASETS.register(
    "raw_clips",
    config=RawClipsConfig,
    paper="CMU-MOSI, arXiv 1606.06259, in the layout of MMSA, arXiv 2203.12441",
    tiny={
        "frames": 4,
        "size": 32,
        "visual_features": "colours",
        "visual_weights": None,
        "acoustic_features": "log_mel",
        "acoustic_weights": None,
        "grid": 4,
        "mel_bands": 8,
    },
)
class RawClips:
    """Raw video clips with their own sound and transcripts, split by the column `mode`.

    When label.csv has a column `true_score`, test targets are true scores.
    """

    def __init__(self, config: RawClipsConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that label.csv and all clips are there; files are not opened."""
        folder = self._folder()
        for row in self._table().rows:
            if not (folder / row.file).is_file():
                raise BadInput("no such file", file=folder / row.file, key="path")

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of label.csv, of every clip it names, and of extractors' weights."""
        made = extractors_identity(self.config)
        return digest([self._clips_hash(), made], 64) if made else self._clips_hash()

    def load(self) -> Dataset:
        """Every clip decoded once; `vision` and `audio` computed from the decoded clip."""
        table = self._table()
        found = self._check(table)
        made = extractors(self.config)
        batches = {split: self._read(table.split(split), made) for split in SPLITS}
        train, valid, test = (batches[split] for split in SPLITS)
        info = DataInfo(
            task="sentiment",
            label_range=self.config.label_range,
            views=VIEWS,
            vision_width=made.vision_width,
            audio_width=made.audio_width,
            vision_steps=longest(batches.values(), "vision"),
            audio_steps=longest(batches.values(), "audio"),
            features="; ".join(("computed here from the clips", *made.notes())),
            train_transcripts=train.transcripts or (),
        )
        findings = (f"raw clips, SHA-256 {self._clips_hash()}", *found, *_shapes(train))
        data = Dataset(train, valid, test, info=info, findings=findings)
        return standardise(data) if self.config.standardise == "train" else data

    def degraded(self, data: Dataset, condition: Condition) -> Batch:
        """The test clips with noise in the recording: in the sound as decoded, or in the frames as read.

        What is computed of it is computed anew; all else is that of `data.test`, and at level 0
        everything is, to the last bit.

        Args:
            data: as `load` gives it.
            condition: `audio_noise` or `blur`.
        """
        if condition.kind == "audio_noise":
            audio = pad([torch.from_numpy(one) for one in self._noisy(data.test.ids, condition.level)])
            return replace(data.test, audio=like_train(data, "audio", audio))
        if condition.kind == "blur" and data.test.frames is not None:
            frames, vision = self._blurred(data.test.frames, condition.level)
            return replace(data.test, frames=frames, vision=like_train(data, "vision", vision))
        raise ValueError(f"expected audio_noise, or blur of clips with frames, given {condition.kind}")

    def reading(self, data: Dataset, views: frozenset[View]) -> ClipReading:
        """How clips are read stage by stage, by the functions that `load` reads them with."""
        stages = self._stages(views, extractors(self.config, views))
        return replace(stages, scales=data.scales).reading()

    def hearing(self, sample_rate: int) -> ClipReading:
        """How the sound of clips is read for speech recognition."""
        stages = self._stages(frozenset({"audio"}), extractors(self.config, frozenset()))
        return replace(stages, sample_rate=sample_rate).hearing()

    def clip_file(self, clip: str) -> Path:
        """Where the recording of a clip lies."""
        return self._files()[clip]

    def clip_seconds(self, clip: str) -> float:
        """How long the recording of a clip is, as its container says."""
        return seconds(self.clip_file(clip))

    def _stages(self, views: frozenset[View], made: Extractors) -> Stages:
        config = self.config
        return Stages(self._files(), views, config.frames, config.size, config.sample_rate, made)

    def _files(self) -> dict[str, Path]:
        """The recording of every clip, those of train first."""
        table, folder = self._table(), self._folder()
        return {row.id: folder / row.file for split in SPLITS for row in table.split(split)}

    def _clips_hash(self) -> str:
        return files_hash(self._folder(), ["label.csv", *(row.file for row in self._table().rows)])

    def _folder(self) -> Path:
        return require_path(self.config.path, "a folder with label.csv and Raw/")

    def _table(self) -> LabelTable:
        return read_labels(self._folder() / "label.csv")

    def _check(self, table: LabelTable) -> tuple[str, ...]:
        file = self._folder() / "label.csv"
        rows = {split: table.split(split) for split in SPLITS}
        found = check_membership(
            file,
            {split: [row.id for row in rows[split]] for split in SPLITS},
            {split: [row.video_id for row in rows[split]] for split in SPLITS},
            allow_shared_videos=self.config.allow_shared_videos,
        )
        for split in SPLITS:
            key = "true_score" if split == "test" and table.has_true_score else "label"
            labels = np.array([row.target for row in rows[split]])
            check_labels(file, f"{split}.{key}", labels, self.config.label_range)
        return (*found, "test targets are true scores") if table.has_true_score else found

    def _read(self, rows: tuple[ClipRow, ...], made: Extractors) -> Batch:
        # Each clip has as many frames as are asked for, so they need no list before they are stacked.
        shape = (len(rows), self.config.frames, 3, self.config.size, self.config.size)
        frames = empty_paged(shape, torch.uint8)

        def read(place: int) -> tuple[Tensor, Tensor]:
            pixels, vision, audio = _clip(self._folder() / rows[place].file, self.config, made)
            frames[place] = pixels
            return vision, audio

        # FFmpeg decodes outside the interpreter lock.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            vision, audio = (pad(view) for view in zip(*pool.map(read, range(len(rows))), strict=True))
        return Batch(
            ids=tuple(row.id for row in rows),
            video_ids=tuple(row.video_id for row in rows),
            target=torch.tensor([row.target for row in rows], dtype=torch.float32),
            transcripts=tuple(row.text for row in rows),
            vision=vision,
            audio=audio,
            frames=Padded(frames, torch.ones(frames.shape[:2], dtype=torch.bool)),
        )

    def _noisy(self, ids: tuple[str, ...], level: float) -> list[NDArray[np.float32]]:
        """(T', D') audio features of each clip, of its sound with noise in it."""
        files, rate = self._files(), self.config.sample_rate
        made = extractors(self.config, frozenset({"audio"}))

        def read(clip: str) -> NDArray[np.float32]:
            sound = read_sound(files[clip], sample_rate=rate)
            return listened(made, files[clip], hissing(sound, level, clip), rate)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(read, ids))

    def _blurred(self, frames: Padded, sd: float) -> tuple[Padded, Padded]:
        """Frames (B, T, 3, H, W) and vision (B, T, D) of what is in `frames`, out of focus."""
        pixels = empty_paged(frames.values.shape, torch.uint8)
        made = extractors(self.config, frozenset({"vision"}))

        def read(place: int) -> Tensor:
            seen = blurred(frames.values[place].numpy(), sd)
            pixels[place] = torch.from_numpy(seen)
            return torch.from_numpy(made.visual(seen.transpose(0, 2, 3, 1)))

        # SciPy filters outside the interpreter lock.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            vision = pad(list(pool.map(read, range(len(pixels)))))
        return Padded(pixels, frames.mask), vision


def _clip(file: Path, config: RawClipsConfig, made: Extractors) -> tuple[Tensor, Tensor, Tensor]:
    """Frames (T, 3, H, W), vision (T, D) and audio (T', D') of one clip."""
    media = read_media(file, frames=config.frames, size=config.size, sample_rate=config.sample_rate)
    audio = listened(made, file, media.sound, config.sample_rate)
    vision = made.visual(media.frames)
    return channels_first(media.frames), torch.from_numpy(vision), torch.from_numpy(audio)


def _shapes(train: Batch) -> tuple[str, ...]:
    views = {"frames": train.frames, "vision": train.vision, "audio": train.audio}
    return tuple(
        f"{name}: train {tuple(padded.values.shape)}"
        for name, padded in views.items()
        if padded is not None
    )
