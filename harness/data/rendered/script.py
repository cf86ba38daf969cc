"""What every clip says and shows, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.parts.streams import stream
from harness.data.rendered.config import LABEL_RANGE, Rendering
from harness.data.rendered.sentences import Vocabulary, sentence, vocabulary


@dataclass(frozen=True)
class Line:
    """One row of label.csv.

    Attributes:
        label: what an annotator said of train and valid clips; the true score of test clips.
        label_T, label_A, label_V: the scores that words, voice and face follow.
        mode: the split.
        true_score: what the clip was made from.
    """

    video_id: str
    clip_id: str
    text: str
    label: float
    label_T: float  # noqa: N815 - the column's name in the published layout
    label_A: float  # noqa: N815
    label_V: float  # noqa: N815
    annotation: str
    mode: str
    true_score: float

    @property
    def file(self) -> str:
        """Where the clip lies below the set's folder."""
        return f"Raw/{self.video_id}/{self.clip_id}.mp4"


def script(config: Rendering) -> list[Line]:
    """The lines of all clips: train, valid, test; a video's clips follow each other."""
    known, counts = vocabulary(config), config.counts()
    return [_line(config, known, split, row) for split, count in counts.items() for row in range(count)]


def near(score: float, sd: float, random: np.random.Generator) -> float:
    """A normal draw around `score`, clipped to the range of labels."""
    return round(float(np.clip(random.normal(score, sd), *LABEL_RANGE)), 4)


def annotation(label: float) -> str:
    """The sign of a label, in the words of the published layout."""
    return ("Negative", "Neutral", "Positive")[int(np.sign(label)) + 1]


def _line(config: Rendering, known: Vocabulary, split: str, row: int) -> Line:
    video, clip = divmod(row, config.clips_per_video)
    clip_key = (split, video, clip)
    random = stream(config.seed, "scores", *clip_key)
    true = round(float(random.uniform(*LABEL_RANGE)), 4)
    voice, face = (near(true, sd, random) for sd in (config.voice_sd, config.face_sd))
    heard = near(true, config.label_sd, stream(config.seed, "annotator", *clip_key))
    words = stream(config.seed, "words", *clip_key)
    told = -true if words.random() < config.contradiction_rate else true
    label = true if split == "test" else heard
    names = (f"{split}{video:04d}", f"{clip:04d}")
    count = max(1, round(config.clip_words * config.clip_frames(*names) / config.frames))
    return Line(
        *names,
        text=sentence(config, known, told, words, count),
        label=label,
        label_T=told,
        label_A=voice,
        label_V=face,
        annotation=annotation(label),
        mode=split,
        true_score=true,
    )
