"""Real sentences as the lines of clips: which are taken, what the faces show, what the labels say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.data.parts.streams import stream
from harness.data.rendered.config import Rendering
from harness.data.rendered.script import Line, annotation, near
from harness.data.rendered.source import LabelSource

SEMI_REAL = "semi-real: real sentences, rendered faces and voices"


@dataclass(frozen=True)
class Remark:
    """A real sentence.

    Attributes:
        video_id: whose face says it; remarks of one video are never in two splits.
        score: what it expresses, in [-3, 3].
        ratings: what single humans said that is, in [-3, 3]; empty if nobody knows.
    """

    video_id: str
    clip_id: str
    text: str
    score: float
    ratings: tuple[float, ...] = ()


def whole_videos(remarks: Sequence[Remark], random: np.random.Generator) -> list[list[Remark]]:
    """The remarks video by video, the videos in random order."""
    videos: dict[str, list[Remark]] = {}
    for remark in remarks:
        videos.setdefault(remark.video_id, []).append(remark)
    found = list(videos.values())
    return [found[row] for row in random.permutation(len(found))]


def take(videos: list[list[Remark]], count: int) -> list[Remark]:
    """The first `count` remarks; their videos leave the list, with what was cut of the last one."""
    taken: list[Remark] = []
    while videos and len(taken) < count:
        taken += videos.pop(0)
    return taken[:count]


def line(config: Rendering, split: str, remark: Remark, labels: LabelSource) -> Line:
    """The remark as a clip.

    The face shows the score, near to it as configured. Where the label is one human's rating, the
    score is the mean of the others', so that the label's error is no part of what is shown.
    """
    key = (remark.video_id, remark.clip_id)
    true, label = remark.score, remark.score
    if split != "test" and labels == "noisy":
        label = near(true, config.label_sd, stream(config.seed, "annotator", *key))
    if split != "test" and labels == "single_rating":
        drawn = int(stream(config.seed, "rater", *key).integers(len(remark.ratings)))
        others = [rating for rater, rating in enumerate(remark.ratings) if rater != drawn]
        true, label = round(float(np.mean(others)), 4), remark.ratings[drawn]
    random = stream(config.seed, "scores", *key)
    voice, face = (near(true, sd, random) for sd in (config.voice_sd, config.face_sd))
    return Line(
        video_id=remark.video_id,
        clip_id=remark.clip_id,
        text=remark.text,
        label=label,
        label_T=true,
        label_A=voice,
        label_V=face,
        annotation=annotation(label),
        mode=split,
        true_score=true,
    )


def label_noise(lines: Sequence[Line]) -> str:
    """How far the labels of train and valid lie from the true scores."""
    errors = np.array([one.label - one.true_score for one in lines if one.mode != "test"])
    return f"sd of label - true score {errors.std():.2f}, mean distance {np.abs(errors).mean():.2f}"
