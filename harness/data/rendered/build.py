"""Making a rendered set whole or not at all, and telling a whole one from a damaged one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.data.parts.hashing import file_hash
from harness.data.rendered.clip_file import write_clip
from harness.data.rendered.config import Rendering
from harness.data.rendered.face import draw_head, pictures
from harness.data.rendered.script import Line, write_labels
from harness.data.rendered.source import Source
from harness.data.rendered.streams import stream
from harness.data.rendered.voice import draw_throat, sound
from harness.spec import BadInput

MANIFEST = "manifest.json"
_DRAFT = ".draft-"
_REMEDY = "delete the folder to have it made anew"


def ensure(folder: Path, config: Rendering, source: Source) -> None:
    """Makes the set in `folder` unless a whole one of the same numbers and sentences is there.

    The clips are made in a folder beside it, which takes its name when it is complete: whatever
    interrupts the making leaves no half set.

    Raises:
        BadInput: the folder holds something else, a damaged set, or cannot be written.
    """
    if _is_absent(folder):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}{_DRAFT}", dir=folder.parent))
        except OSError as error:
            raise BadInput(f"cannot be written: {error.strerror}", file=folder, key="path") from error
        try:
            _make(draft, config, source)
            _rename(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    check(folder, config.rendering_digest(source.identity()))


def check(folder: Path, expected: str) -> None:
    """Compares the set with its manifest, byte by byte.

    Raises:
        BadInput: no manifest, another digest than `expected`, or a file that is gone or altered.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        digest, files = manifest["digest"], dict(manifest["files"])
    except FileNotFoundError:
        raise BadInput(f"not a rendered set: it has no {MANIFEST}", file=folder, key="path") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"unreadable; {_REMEDY}", file=folder / MANIFEST, key="path") from error
    if digest != expected:
        raise BadInput(
            f"made from other numbers or sentences: expected digest {expected}, found {digest}; "
            f"choose another path or {_REMEDY}",
            file=folder,
            key="path",
        )
    for name, whole in files.items():
        if file_hash(folder / name) != whole:
            raise BadInput(f"altered since it was made; {_REMEDY}", file=folder / name, key="path")


def _is_absent(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _make(draft: Path, config: Rendering, source: Source) -> None:
    identity, lines = source.identity(), source.lines(config)
    write_labels(draft / "label.csv", lines)
    for video in dict.fromkeys(line.video_id for line in lines):
        (draft / "Raw" / video).mkdir(parents=True)
    # The encoders work outside the interpreter lock, so threads use all cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda line: _film(draft, config, line), lines))
    files = {name: file_hash(draft / name) for name in ["label.csv", *(line.file for line in lines)]}
    manifest = {
        "digest": config.rendering_digest(identity),
        "config": {name: getattr(config, name) for name in Rendering.model_fields},
        **({"source": identity} if identity else {}),
        "files": files,
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _film(draft: Path, config: Rendering, line: Line) -> None:
    look = stream(config.seed, "look", line.video_id)
    head, throat = draw_head(look), draw_throat(look)
    write_clip(
        draft / line.file,
        pictures(config, head, line.label_V, stream(config.seed, "pixels", line.video_id, line.clip_id)),
        sound(config, throat, line.label_A, stream(config.seed, "hiss", line.video_id, line.clip_id)),
        config,
    )


def _sweep(folder: Path) -> None:
    """Removes what processes that were killed a day ago or earlier left beside `folder`."""
    for other in folder.parent.iterdir():
        old = (
            other.name.startswith(f"{folder.name}{_DRAFT}")
            and time.time() - other.stat().st_mtime > 86400
        )
        if old:
            shutil.rmtree(other, ignore_errors=True)


def _rename(draft: Path, folder: Path) -> None:
    # mkdtemp hides the folder from other users, who may well want to read the data.
    draft.chmod(0o755)
    try:
        draft.rename(folder)
    except OSError:
        # Another process was faster: its set is checked like any other.
        if _is_absent(folder):
            raise
