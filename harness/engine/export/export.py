"""A trained model into a folder that is checked before it is there."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.contracts import Unsupported
from harness.engine.export.card import Departure, card
from harness.engine.export.formats import (
    FORMATS,
    TOLERANCES,
    Format,
    Written,
    check_format,
    write,
)
from harness.engine.export.sample import Sample, sample
from harness.engine.trained import TrainedModel
from harness.spec import BadInput

CARD_FILE = "README.md"


def check_folder(folder: Path, *, force: bool) -> None:
    """Whether the folder may be filled.

    Raises:
        BadInput: it is a file, or not empty and `force` is not given.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput("is a file, expected a folder to write", file=folder, key="--folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise BadInput(
            "is not empty; name another, or --force to replace files in it", file=folder, key="--folder"
        )


def export(trained: TrainedModel, to: Format, folder: Path, *, force: bool = False) -> Departure:
    """Writes the model with its card, once what was written says what the model says.

    Args:
        trained: is float32 afterwards.
        to: the form.
        folder: made if it is not there; until everything is checked nothing is in it.
        force: whether files of the same names are replaced; others stay.

    Raises:
        BadInput: the folder cannot be written, a package is missing, the model has no such form, or
            what was written says something else.
    """
    check_folder(folder, force=force)
    check_format(to)
    clips = sample(trained)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            draft = Path(scratch)
            left = Departure(trained, to, _written(trained, to, clips, draft))
            (draft / CARD_FILE).write_text(card(left), encoding="utf-8")
            _move(draft, folder)
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", file=folder, key="--folder") from error
    return left


def _written(trained: TrainedModel, to: Format, clips: Sample, draft: Path) -> Written:
    name = trained.spec.model.name
    try:
        written = write(to, trained, clips, draft)
    except Unsupported as fault:
        others = [other for other in FORMATS if other != to and _is_possible(trained, other, clips)]
        raise BadInput(
            f"'{name}' {fault}; it can leave as: {', '.join(others) or 'nothing'}", key="--to"
        ) from fault
    allowed = TOLERANCES[to] * max(1.0, written.largest)
    if not written.difference <= allowed:
        raise BadInput(
            f"'{name}' was written and says something else: a difference of {written.difference:.2g}, "
            f"allowed {allowed:.2g}; nothing is kept",
            key="--to",
        )
    return written


def _is_possible(trained: TrainedModel, to: Format, clips: Sample) -> bool:
    """Found out by doing it: no list says what an exporter takes."""
    try:
        check_format(to)
        with TemporaryDirectory() as scratch:
            write(to, trained, clips, Path(scratch))
    except (Unsupported, BadInput):
        return False
    return True


def _move(draft: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for path in sorted(draft.iterdir()):
        target = folder / path.name
        target.unlink(missing_ok=True)
        shutil.move(path, target)
