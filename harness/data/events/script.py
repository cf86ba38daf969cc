"""What happens in every clip, and what is said of it, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from harness.data.events.captions import CLASSES, caption
from harness.data.events.config import EventRendering
from harness.data.parts.streams import stream


@dataclass(frozen=True)
class Event:
    """One row of label.csv.

    Attributes:
        text: the caption, which names the true class.
        label: index of the class that an annotator named; the true one of test clips.
        annotation: name of that class.
        mode: the split.
        true_label: index of the class that is seen and heard.
    """

    video_id: str
    clip_id: str
    text: str
    label: int
    annotation: str
    mode: str
    true_label: int

    @property
    def file(self) -> str:
        """Where the clip lies below the set's folder."""
        return f"Raw/{self.video_id}/{self.clip_id}.mp4"


def script(config: EventRendering) -> list[Event]:
    """The events of all clips: train, valid, test; a video's clips follow each other."""
    return [
        _event(config, split, row) for split, count in config.counts().items() for row in range(count)
    ]


def _event(config: EventRendering, split: str, row: int) -> Event:
    video, clip = divmod(row, config.clips_per_video)
    true = _true_label(config, split, row)
    label = true if split == "test" else _annotated(config, true, split, row)
    return Event(
        video_id=f"{split}{video:04d}",
        clip_id=f"{clip:04d}",
        text=caption(true, config.caption_words, stream(config.seed, "caption", split, row)),
        label=label,
        annotation=CLASSES[label],
        mode=split,
        true_label=true,
    )


def _true_label(config: EventRendering, split: str, row: int) -> int:
    """Every class once in each K clips, in an order of their own, whatever a video's length."""
    block, place = divmod(row, config.classes)
    return int(stream(config.seed, "order", split, block).permutation(config.classes)[place])


def _annotated(config: EventRendering, true: int, split: str, row: int) -> int:
    """The true class, or for a share of the clips any other one."""
    if not _errs(config, split, row):
        return true
    step = stream(config.seed, "annotator", split, row).integers(1, config.classes)
    return (true + int(step)) % config.classes


def _errs(config: EventRendering, split: str, row: int) -> bool:
    """Whether a label is false: of each K clips, within one, as many as the noise says.

    Drawn one by one, a split of 200 clips would have 7 % more or fewer false labels than asked for.
    """
    block, place = divmod(row, config.classes)
    random = stream(config.seed, "errors", split, block)
    rank = random.permutation(config.classes)[place]
    return bool((rank + random.random()) / config.classes < config.label_noise)
