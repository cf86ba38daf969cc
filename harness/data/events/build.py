"""Making a set of events: what happens, its clips, and the manifest that tells how it was made."""

from __future__ import annotations

from pathlib import Path

from harness.data.clips import made
from harness.data.clips.clip_file import write_clip
from harness.data.clips.labels import write_labels
from harness.data.events.config import EventRendering
from harness.data.events.scene import draw_scene
from harness.data.events.script import Event, script
from harness.data.events.shapes import draw_look, pictures
from harness.data.events.timbres import sound, voice_of
from harness.data.parts.streams import stream


def ensure(folder: Path, config: EventRendering) -> None:
    """Makes the set in `folder` unless a whole one of the same numbers is there.

    Raises:
        BadInput: the folder holds something else, a damaged set, or cannot be written.
    """
    made.ensure(folder, config.rendering_digest(), lambda draft: _make(draft, config))


def film(folder: Path, config: EventRendering, event: Event) -> None:
    """Writes the clip of one event.

    Pictures and sound share the scene of the video and the class of the clip, nothing else.
    """
    video, clip = event.video_id, (event.video_id, event.clip_id)
    scene = draw_scene(config, stream(config.seed, "scene", video))
    look, voice = draw_look(config, scene, stream(config.seed, "look", video)), voice_of(config, scene)
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
