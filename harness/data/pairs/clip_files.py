"""Features in a NumPy file a clip, and labels beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.pairs.features import as_float32
from harness.data.pairs.labels import Labels, read_labels
from harness.data.pairs.stored import Stored
from harness.data.parts.sequences import pad
from harness.spec import BadInput
from harness.types import Padded

_SEPARATOR = re.compile(r"\s*[,\s]\s*")


@dataclass(frozen=True)
class ClipFiles:
    """The .npy files of a folder.

    Attributes:
        folder: where they lie, for messages.
        files: clip id, which is the file's name, to the file.
    """

    folder: Path
    files: Mapping[str, Path]

    def check(self, ids: Sequence[str]) -> None:
        """Every clip has its file.

        Raises:
            BadInput: some have not; they are counted.
        """
        missing = [clip for clip in ids if clip not in self.files]
        if missing:
            raise BadInput(
                f"{len(missing)} of {len(ids)} clips of the fold lists have no file here, such as "
                f"{missing[0]}.npy",
                file=self.folder,
                key="path",
            )

    def sequences(self, ids: Sequence[str]) -> tuple[Padded, tuple[str, ...]]:
        """(N, T, D) float32 from files (D,) or (T_i, D), and findings on those that are uint8.

        A file of uint8 is on VGGish's and YouTube-8M's scale, which (x - 128) / 256 undoes.

        Raises:
            BadInput: a file is missing or broken, has no row, or not as many columns as the first.
        """
        self.check(ids)
        first, bytes_ = 0, 0
        found = []
        for clip in ids:
            values = _steps(self.files[clip])
            first = first or values.shape[1]
            if values.shape[1] != first:
                message = f"expected {first} columns as in {ids[0]}.npy, found {values.shape[1]}"
                raise BadInput(message, file=self.files[clip], key=self.folder.name)
            if values.dtype == np.uint8:
                bytes_ += 1
            found.append(torch.from_numpy(_undone(values)))
        told = (
            (f"{self.folder.name}: {bytes_} of {len(ids)} clips are uint8, read as (x - 128) / 256",)
            if bytes_
            else ()
        )
        return pad(found), told


def find_files(folder: Path, *, in_classes: bool) -> ClipFiles:
    """The .npy files of a folder, or of the folders in it, which are its classes.

    Raises:
        BadInput: no such folder, or a clip is in two classes.
    """
    if not folder.is_dir():
        raise BadInput("no such folder", file=folder, key="path")
    files: dict[str, Path] = {}
    for file in sorted(folder.glob("*/*.npy" if in_classes else "*.npy")):
        if file.stem in files:
            homes = f"{files[file.stem].parent.name} and {file.parent.name}"
            raise BadInput(f"clip '{file.stem}' is in {homes}", file=folder, key="path")
        files[file.stem] = file
    return ClipFiles(folder, files)


def folder_labels(files: ClipFiles, ids: Sequence[str]) -> Labels:
    """(N,) labels that are the names of the folders in which clips lie."""
    files.check(ids)
    names = [files.files[clip].parent.name for clip in ids]
    return _named(Stored(files.folder, files.folder.name, np.array(names)))


def file_labels(files: ClipFiles, ids: Sequence[str]) -> Labels:
    """(N,) labels from a .npy file a clip: a number, or a one-hot vector.

    Raises:
        BadInput: a file is missing or broken, or not of the shape of the first.
    """
    files.check(ids)
    found = [read_npy(files.files[clip]) for clip in ids]
    for clip, values in zip(ids, found, strict=True):
        if values.shape != found[0].shape:
            message = f"expected shape {found[0].shape} as in {ids[0]}.npy, found {values.shape}"
            raise BadInput(message, file=files.files[clip], key=files.folder.name)
    return read_labels(Stored(files.folder, files.folder.name, np.stack(found)), len(ids), "the lists")


def listed_labels(file: Path, ids: Sequence[str]) -> Labels:
    """(N,) labels from lines `id label` or `id,label`; lines of other clips are not read.

    Raises:
        BadInput: a line is of another form, a clip has two labels, or none.
    """
    wanted, found = frozenset(ids), dict[str, str]()
    for number, line in enumerate(lines(file), start=1):
        clip, *rest = _SEPARATOR.split(line, maxsplit=1)
        if not rest:
            raise BadInput(
                f"line {number}: expected `id label`, given {line!r}", file=file, key="labels"
            )
        if clip in wanted and found.setdefault(clip, rest[0]) != rest[0]:
            message = f"line {number}: clip '{clip}' is {rest[0]}, and was {found[clip]}"
            raise BadInput(message, file=file, key="labels")
    missing = [clip for clip in ids if clip not in found]
    if missing:
        raise BadInput(
            f"{len(missing)} of {len(ids)} clips have no label, such as '{missing[0]}'",
            file=file,
            key="labels",
        )
    return _named(Stored(file, "labels", np.array([found[clip] for clip in ids])))


def lines(file: Path) -> list[str]:
    """The lines of a text file that are not empty, without spaces around them.

    Raises:
        BadInput: no such file, or no UTF-8 text.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"expected UTF-8 text: {error}", file=file, key="path") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_npy(file: Path) -> NDArray[Any]:
    """The array of a .npy file, read without running code.

    Raises:
        BadInput: no such file, another kind of file, or pickled objects.
    """
    try:
        values = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except (EOFError, OSError, ValueError) as error:
        raise BadInput(f"expected a .npy file of numbers: {error}", file=file, key="path") from error
    if not isinstance(values, np.ndarray):
        raise BadInput("expected a .npy file, found an archive", file=file, key="path")
    return values


def _steps(file: Path) -> NDArray[Any]:
    values = read_npy(file)
    if values.dtype.kind not in "iuf" or values.ndim not in {1, 2}:
        found = f"{values.dtype} {values.shape}"
        raise BadInput(f"expected numbers (D,) or (T, D), found {found}", file=file, key="path")
    if not values.size:
        raise BadInput(f"a clip without any row, found {values.shape}", file=file, key="path")
    return values[None] if values.ndim == 1 else values


def _undone(values: NDArray[Any]) -> NDArray[np.float32]:
    return as_float32((values - 128.0) / 256 if values.dtype == np.uint8 else values)


def _named(stored: Stored) -> Labels:
    """Whole numbers where all labels are that, so that 10 comes after 9; else names."""
    if _are_numbers(stored.values.tolist()):
        return read_labels(stored, len(stored.values), "the lists")
    return Labels(stored)


def _are_numbers(texts: Iterable[str]) -> bool:
    return all(text.removeprefix("-").isdecimal() for text in texts)
