"""Where the sentences of a rendered set come from: how it is configured, what each source offers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol, Self

from pydantic import Field, model_validator

from harness.data.rendered.config import Rendering
from harness.data.rendered.script import Line, script
from harness.spec import DataConfig

LabelSource = Literal["noisy", "single_rating", "mean_rating"]


class SentenceChoice(DataConfig):
    """Which sentences are rendered, and what the labels of train and valid clips are."""

    sentences: Literal["generated", "label_csv", "icwsm14"] = Field(
        "generated",
        description="generated; label_csv: sentences, scores and splits of a file; "
        "icwsm14: movie reviews with human ratings, see `adviserbench data prepare icwsm14`",
    )
    sentences_path: Path | None = Field(
        None,
        description="label_csv: the file; icwsm14: the prepared folder, null = data/icwsm14; "
        "generated: null",
    )
    label_source: LabelSource | None = Field(
        None,
        description="labels of train and valid: noisy = score and noise of label_sd; icwsm14 only: "
        "single_rating = one human's, mean_rating; null = single_rating for icwsm14, else noisy",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.sentences == "generated" and self.sentences_path is not None:
            raise ValueError(
                f"sentences_path: expected null, as sentences are generated, given {self.sentences_path}"
            )
        if self.sentences == "label_csv" and self.sentences_path is None:
            raise ValueError("sentences_path: missing; expected the path of a label.csv")
        if self.sentences != "icwsm14" and self.label_source not in {None, "noisy"}:
            raise ValueError(
                f"label_source: expected noisy or null, as only sentences: icwsm14 have ratings, "
                f"given '{self.label_source}'"
            )
        return self


class Source(Protocol):
    """What the sentences of a rendered set come from; a fault of its files is a `BadInput`."""

    def identity(self) -> dict[str, str]:
        """What decides the lines beside the numbers of the rendering; empty when nothing does."""

    def lines(self, config: Rendering) -> list[Line]:
        """The lines of all clips: train, valid, test; a video's clips follow each other."""

    def findings(self, config: Rendering) -> tuple[str, ...]:
        """What has to be known of the sentences, a line each."""


class Generated:
    """Sentences made from the seed."""

    def identity(self) -> dict[str, str]:
        """Nothing: the numbers say it all."""
        return {}

    def lines(self, config: Rendering) -> list[Line]:
        """The lines of the script."""
        return script(config)

    def findings(self, config: Rendering) -> tuple[str, ...]:
        """Nothing: generated sentences are as configured."""
        return ()
