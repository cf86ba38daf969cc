"""Movie-review sentences with all their human ratings, on the scale of the rendered set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.data.icwsm14.prepare import describe, ratings_file
from harness.data.icwsm14.ratings import HIGHEST, LOWEST, RatedSentence, from_csv
from harness.data.parts.hashing import file_hash
from harness.data.parts.streams import stream
from harness.data.rendered.config import LABEL_RANGE, Rendering
from harness.data.rendered.real import SEMI_REAL, Remark, label_noise, line, take, whole_videos
from harness.data.rendered.script import Line
from harness.data.rendered.source import LabelSource
from harness.spec import BadInput

SCALE = LABEL_RANGE[1] / HIGHEST
"""From the raters' scale [-4, 4] to [-3, 3]."""

_MEANING: dict[LabelSource, str] = {
    "noisy": "simulated annotator noise",
    "single_rating": "one human rating each, true score: the mean of the others",
    "mean_rating": "the mean of all ratings",
}


class Rated:
    """The prepared sentences; a review is a video of its own."""

    def __init__(self, folder: Path | None, labels: LabelSource) -> None:
        self.folder, self.labels = folder, labels

    def identity(self) -> dict[str, str]:
        """The hash of the sentences and their ratings, and what is taken for a label."""
        digest = file_hash(self._file())
        return {"sentences": "icwsm14", "sha256": digest, "label_source": self.labels}

    def lines(self, config: Rendering) -> list[Line]:
        """Whole reviews in the order of the seed: the first are test, then valid, then train.

        So more training clips leave the others as they were.

        Raises:
            BadInput: fewer sentences than clips.
        """
        chosen = self._chosen(config)
        splits = ("train", "valid", "test")
        return [line(config, split, one, self.labels) for split in splits for one in chosen[split]]

    def findings(self, config: Rendering) -> tuple[str, ...]:
        """The sentences, the scale, how far raters are apart, and what labels are."""
        file, chosen = self._file(), self._chosen(config)
        used = [remark for remarks in chosen.values() for remark in remarks]
        apart = np.sqrt(np.mean([np.var(remark.ratings, ddof=1) for remark in used]))
        labels = label_noise(self.lines(config))
        return (
            f"{SEMI_REAL}; ICWSM 2014 movie reviews, SHA-256 {file_hash(file)}",
            f"{describe(from_csv(file))[0]}; {len(used)} of the sentences are used",
            f"ratings in [{LOWEST}, {HIGHEST}] times {SCALE:g}; sd between raters {apart:.2f}",
            f"labels of train and valid: {_MEANING[self.labels]}; {labels}",
        )

    def _chosen(self, config: Rendering) -> dict[str, list[Remark]]:
        file = self._file()
        remarks = [_remark(sentence) for sentence in from_csv(file)]
        videos = whole_videos(remarks, stream(config.seed, "reviews"))
        chosen = {}
        for split, count in reversed(config.counts().items()):
            chosen[split] = take(videos, count)
            if len(chosen[split]) < count:
                raise BadInput(
                    f"expected at most what {len(remarks)} sentences leave for this split, "
                    f"{len(chosen[split])} clips, given {count}",
                    file=file,
                    key=f"{split}_clips",
                )
        return chosen

    def _file(self) -> Path:
        try:
            return ratings_file(self.folder)
        except BadInput as error:
            raise BadInput(error.message, file=error.file, key="sentences_path") from error


def _remark(sentence: RatedSentence) -> Remark:
    return Remark(
        video_id=f"review{sentence.review_id.zfill(5)}",
        clip_id=sentence.sentence_id.zfill(5),
        text=sentence.text,
        score=round(sentence.mean * SCALE, 4),
        ratings=tuple(rating * SCALE for rating in sentence.ratings),
    )
