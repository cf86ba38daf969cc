"""Audio-visual retrieval: clips find the other modality of their class, ranked under a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.ranking.judgement import Judgement, checked_labels, judge
from harness.metrics.ranking.order import Classes
from harness.metrics.ranking.scores import Index, Values, compare, compare_matches
from harness.metrics.retrieval_protocols import RETRIEVAL_PROTOCOLS, TNN_C_CCA
from harness.spec import BadInput, RetrievalProtocol

RECALL_DEPTHS = (1, 5, 10)


@dataclass(frozen=True)
class RetrievalAP:
    """Average precision of each clip as a query, which the means are over.

    Attributes:
        a2v: (N,) its sound finds pictures.
        v2a: (N,) its pictures find sounds.
    """

    a2v: Values
    v2a: Values


@dataclass(frozen=True)
class Retrieved:
    """Both directions of one evaluation, ranked once.

    Attributes:
        labels: (N,) class of each clip.
        a2v, v2a: the rankings of pictures by sounds, and of sounds by pictures.
    """

    labels: Index
    a2v: Judgement
    v2a: Judgement

    def ap(self) -> RetrievalAP:
        """Each clip's average precision in both directions."""
        return RetrievalAP(self.a2v.ap, self.v2a.ap)

    def metrics(self) -> dict[str, float]:
        """The metrics by name in `harness.spec.METRICS`, never rounded; see `retrieval_metrics`."""
        both = (self.a2v, self.v2a)
        found = _both_ways("map", *(float(way.ap.mean()) for way in both))
        found |= _both_ways("map_tie", *(float(way.expected.mean()) for way in both))
        for depth in RECALL_DEPTHS:
            shares = [self._of_class(way, depth).mean() for way in both]
            found[f"recall_at_{depth}"] = float(np.mean(shares))
        pairs = [(way.top == np.arange(len(self.labels))[:, None]).any(1).mean() for way in both]
        return found | {"pair_recall_at_10": float(np.mean(pairs))}

    def _of_class(self, way: Judgement, depth: int) -> NDArray[np.bool_]:
        return np.asarray((self.labels[way.top[:, :depth]] == self.labels[:, None]).any(1))


def retrieval_metrics(
    audio: NDArray[Any], vision: NDArray[Any], labels: NDArray[Any], protocol: RetrievalProtocol
) -> dict[str, float]:
    """The metrics of a protocol by name in `harness.spec.METRICS`, never rounded.

    map_a2v, map_v2a and map (their mean); the same with map_tie, expected over all orders of tied items
    instead of the gallery's; recall_at_1, _5, _10: share of queries with an item of their class among
    the first k, mean of both directions; pair_recall_at_10: with their own counterpart among the first
    10, whatever the protocol's depth.
    A query's own counterpart is in its gallery, and relevant, as in the published codes.

    Args:
        audio: (N, D) embeddings; only directions matter to a protocol that compares cosines.
        vision: (N, D) embeddings of the same clips.
        labels: (N,) class of each clip.
        protocol: a name in `harness.metrics.retrieval_protocols.RETRIEVAL_PROTOCOLS`.

    Raises:
        BadInput: rows and labels do not belong together, or a value cannot be compared.
    """
    return retrieve(audio, vision, labels, protocol).metrics()


def retrieval_ap(
    audio: NDArray[Any], vision: NDArray[Any], labels: NDArray[Any], protocol: RetrievalProtocol
) -> RetrievalAP:
    """Each clip's average precision, as in `retrieval_metrics`, for paired statistics."""
    return retrieve(audio, vision, labels, protocol).ap()


def retrieve(
    audio: NDArray[Any], vision: NDArray[Any], labels: NDArray[Any], protocol: RetrievalProtocol
) -> Retrieved:
    """Both directions ranked once, for whoever wants metrics and AP; see `retrieval_metrics`."""
    if len(audio) != len(vision):
        raise BadInput(f"{len(audio)} clips have a sound and {len(vision)} pictures: expected pairs")
    rules, classes = RETRIEVAL_PROTOCOLS[protocol], checked_labels(labels, len(audio))
    return Retrieved(
        classes,
        judge(compare(audio, vision, rules.similarity), Classes(classes, classes), rules),
        judge(compare(vision, audio, rules.similarity), Classes(classes, classes), rules),
    )


def match_ap(factors: NDArray[Any], labels: NDArray[Any]) -> Values:
    """(N,) average precision of finding the clips of a class by pairwise match logits, itself removed.

    The logit of a pair is f_i · f_j + (b_i + b_j) / 2. The whole ranking counts, over all relevant
    clips.
    A query whose class has no other clip is NaN: it is no query, and belongs in no mean.

    Args:
        factors: (N, M + 1), f the first M columns and b the last one.
        labels: (N,) class of each clip.

    Raises:
        BadInput: rows and labels do not belong together, or a factor is not finite.
    """
    classes = checked_labels(labels, len(factors))
    scores, sides = compare_matches(factors), Classes(classes, classes, excludes_itself=True)
    found = judge(scores, sides, TNN_C_CCA).ap
    _, place, counts = np.unique(classes, return_inverse=True, return_counts=True)
    return np.where(counts[place] > 1, found, np.nan)


def _both_ways(name: str, a2v: float, v2a: float) -> dict[str, float]:
    return {name: (a2v + v2a) / 2, f"{name}_a2v": a2v, f"{name}_v2a": v2a}
