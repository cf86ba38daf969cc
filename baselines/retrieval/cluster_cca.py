"""Cluster-CCA: canonical correlation over all pairs of a sound and a picture of one class."""

from __future__ import annotations

from baselines.retrieval.linear import LINEAR_SPACE, LinearBaseline, LinearConfig
from harness.nn.retrieval.linear_cca import labelled
from harness.nn.retrieval.towers import pooled
from harness.registry import BASELINES
from harness.spec import BadInput
from harness.types import Batch


class ClusterCcaConfig(LinearConfig):
    """Ridge, scale, and number of directions; K classes correlate in K - 1 of them at most."""


@BASELINES.register(
    "cluster_cca",
    config=ClusterCcaConfig,
    paper="Rasiwasia et al. 2014, Cluster Canonical Correlation Analysis, AISTATS (cluster-CCA, not the "
    "mean-CCA beside it; covariances over all within-class pairs, from memory)",
    tiny={"width": 3},
    space=LINEAR_SPACE,
)
class ClusterCca(LinearBaseline):
    """Mean features of sound and pictures on the directions in which classes correlate most.

    Classes of labelled training clips are read when it is fitted, never again. A width beyond K - 1
    adds zeros, which no cosine sees, and a note.
    """

    def fit(self, clips: Batch) -> None:
        """Finds the directions.

        Raises:
            BadInput: clips of one class only, too few of them, or features that are the same.
        """
        clips = labelled(clips)
        if len(clips.target.unique()) < 2:
            raise BadInput(
                f"the {len(clips)} labelled training clips are of one class, and two are needed at least"
            )
        self.head.fit(pooled(clips.audio), pooled(clips.vision), clips.target)
