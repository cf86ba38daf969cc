"""Making a rendered set: what it says, its clips, and the manifest that tells how it was made."""

from __future__ import annotations

from pathlib import Path

from harness.data.clips import made
from harness.data.clips.clip_file import write_clip
from harness.data.clips.labels import write_labels
from harness.data.parts.streams import stream
from harness.data.rendered.config import Rendering
from harness.data.rendered.face import draw_head, pictures
from harness.data.rendered.script import Line
from harness.data.rendered.source import Source
from harness.data.rendered.voice import draw_throat, sound


def ensure(folder: Path, config: Rendering, source: Source) -> None:
    """Makes the set in `folder` unless a whole one of the same numbers and sentences is there.

    Raises:
        BadInput: the folder holds something else, a damaged set, or cannot be written.
    """
    made.ensure(
        folder,
        config.rendering_digest(source.identity()),
        lambda draft: _make(draft, config, source),
    )


def _make(draft: Path, config: Rendering, source: Source) -> None:
    identity, lines = source.identity(), source.lines(config)
    write_labels(draft / "label.csv", lines)
    made.film([draft / line.file for line in lines], lambda row: _film(draft, config, lines[row]))
    told = {
        "digest": config.rendering_digest(identity),
        "config": config.numbers(),
        **({"source": identity} if identity else {}),
    }
    made.write_manifest(draft, told, ["label.csv", *(line.file for line in lines)])


def _film(draft: Path, config: Rendering, line: Line) -> None:
    clip = (line.video_id, line.clip_id)
    look = stream(config.seed, "look", line.video_id)
    head, throat, count = draw_head(look), draw_throat(look), config.clip_frames(*clip)
    write_clip(
        draft / line.file,
        pictures(config, head, line.label_V, stream(config.seed, "pixels", *clip), count),
        sound(config, throat, line.label_A, stream(config.seed, "hiss", *clip), count),
        config,
    )
