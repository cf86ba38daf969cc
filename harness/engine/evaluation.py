"""What a model's outputs on a split are worth: metrics, and a row a clip that they are means of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from torch import Tensor

from harness.metrics.retrieval import match_ap, retrieve
from harness.metrics.sentiment import sentiment_metrics
from harness.spec import Protocol, RetrievalProtocol, SentimentProtocol, task_of
from harness.types import Batch, Outputs


@dataclass(frozen=True)
class Evaluation:
    """The judgement of one split.

    Attributes:
        metrics: by name, without a split, under the protocol, in float64, never rounded.
        values: a column of float64 numbers (B,) each; the first of one of `PREDICTION_VALUES`.
    """

    metrics: dict[str, float]
    values: dict[str, np.ndarray]

    def named(self, split: str) -> dict[str, float]:
        """The metrics as records have them, ``<split>/<metric>``."""
        return {f"{split}/{name}": value for name, value in self.metrics.items()}

    def table(self, clips: Batch, split: str) -> pd.DataFrame:
        """A row a clip, with `PREDICTION_COLUMNS` and the values."""
        return pd.DataFrame(
            {
                "split": split,
                "id": clips.ids,
                "video_id": clips.video_ids,
                "target": clips.target.double().numpy(),
                **self.values,
            }
        )


def evaluate(clips: Batch, outputs: Outputs, protocol: Protocol) -> Evaluation:
    """The outputs on clips, judged by the rules of a protocol.

    Raises:
        FloatingPointError: an output is not finite.
        ValueError: the metrics cannot be computed, as of an embedding that is zero.
    """
    if task_of(protocol).kind == "regression":
        return _scores(clips, outputs, protocol)
    return _rankings(clips, outputs, protocol)


def _scores(clips: Batch, outputs: Outputs, protocol: Protocol) -> Evaluation:
    score = _finite(outputs.tensor("score"), "scores")
    rules = cast("SentimentProtocol", protocol)
    metrics = sentiment_metrics(score, clips.target.double().numpy(), rules)
    return Evaluation(metrics, {"score": score})


def _rankings(clips: Batch, outputs: Outputs, protocol: Protocol) -> Evaluation:
    target = clips.target.numpy()
    metrics: dict[str, float] = {}
    values: dict[str, np.ndarray] = {}
    if outputs.audio_embedding is not None:
        audio = _finite(outputs.audio_embedding, "audio embeddings")
        vision = _finite(outputs.tensor("vision_embedding"), "vision embeddings")
        found = retrieve(audio, vision, target, cast("RetrievalProtocol", protocol))
        metrics |= found.metrics()
        values |= {"ap_a2v": found.ap().a2v, "ap_v2a": found.ap().v2a}
    if outputs.match is not None:
        own = match_ap(_finite(outputs.match, "match factors"), target)
        metrics["match_map"] = float(np.nanmean(own)) if np.isfinite(own).any() else float("nan")
        values = values or {"match_ap": own}
    if outputs.class_logits is not None:
        named = _finite(outputs.class_logits, "class logits").argmax(1)
        metrics["accuracy"] = float((named == target).mean())
    return Evaluation(metrics, values)


def _finite(values: Tensor, what: str) -> np.ndarray:
    """The values in float64, a row a clip."""
    found = values.double().numpy()
    wrong = int((~np.isfinite(found)).reshape(len(found), -1).any(1).sum())
    if wrong:
        raise FloatingPointError(f"the {what} of {wrong} of {len(found)} clips are not finite")
    return found
