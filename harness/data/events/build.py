"""Making a set of events: what happens, its clips, and the manifest that tells how it was made."""

from __future__ import annotations

from pathlib import Path

from harness.data.clips import made
from harness.data.clips.clip_file import write_clip
from harness.data.clips.labels import write_labels
from harness.data.events.config import EventRendering
from harness.data.events.script import Event, script
from harness.data.events.shapes import draw_look, pictures
from harness.data.events.timbres import draw_voice, sound
from harness.data.parts.streams import stream


def ensure(folder: Path, config: EventRendering) -> None:
    """Makes the set in `folder` unless a whole one of the same numbers is there.

    Raises:
        BadInput: the folder holds something else, a damaged set, or cannot be written.
    """
    made.ensure(folder, config.rendering_digest(), lambda draft: _make(draft, config))


def film(folder: Path, config: EventRendering, event: Event) -> None:
    """Writes the clip of one event.

    Pictures and sound of a video share their tempo, and of a clip the class; nothing else.
    """
    video, clip = event.video_id, (event.video_id, event.clip_id)
    tempo_hz = float(stream(config.seed, "tempo", video).uniform(0.8, 1.6))
    look = draw_look(config, tempo_hz, stream(config.seed, "look", video))
    voice = draw_voice(config, tempo_hz, stream(config.seed, "voice", video))
    write_clip(
        folder / event.file,
        pictures(config, look, event.true_label, stream(config.seed, "pixels", *clip)),
        sound(config, voice, event.true_label, stream(config.seed, "hiss", *clip)),
        config,
    )


def _make(draft: Path, config: EventRendering) -> None:
    events = script(config)
    write_labels(draft / "label.csv", events)
    made.film([draft / event.file for event in events], lambda row: film(draft, config, events[row]))
    told = {"digest": config.rendering_digest(), "config": config.numbers()}
    made.write_manifest(draft, told, ["label.csv", *(event.file for event in events)])
