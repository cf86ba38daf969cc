"""How far the sounds and pictures of every two clips of a class are from being perfectly correlated."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.losses.cca_correlation import CcaCorrelationConfig
from harness.nn.compare.geometry import precise
from harness.nn.compare.pair import costs_nothing
from harness.nn.retrieval.correlation import correlations_of
from harness.nn.retrieval.covariances import cluster_moments
from harness.registry import LOSSES
from harness.spec import FloatSpace
from harness.types import Batch, DataInfo, Outputs


class ClusterCorrelationConfig(CcaCorrelationConfig):
    """As of the clips' own pairs."""

    labels: ClassVar[bool] = True


@LOSSES.register(
    "cluster_correlation",
    config=ClusterCorrelationConfig,
    paper="C-DCCA: Rasiwasia et al. 2014, Cluster Canonical Correlation Analysis, AISTATS, equations 7 "
    "to 9, maximised as Andrew et al. 2013, Deep Canonical Correlation Analysis, ICML, do",
    tiny={},
    space={
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "ridge": FloatSpace(low=1e-4, high=1, log=True),
    },
)
class ClusterCorrelation(nn.Module):
    """D - the sum of the D canonical correlations over all pairs of a sound and a picture of one class.

    In [0, D], D the width of the narrower embedding; K classes correlate in K - 1 directions at most,
    so that D - K + 1 is the lowest it gets with more dimensions than that. A batch without two clips of
    a class costs what `cca_correlation` does; a clip alone costs nothing. Public code of the authors of
    TNN-C-CCA mixes a fifth of the clips' own cross-covariance with four fifths of this one: the two
    losses with such weights are near it.
    """

    def __init__(self, config: ClusterCorrelationConfig, info: DataInfo) -> None:
        super().__init__()
        self.ridge = config.ridge

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from audio_embedding (B, D), vision_embedding (B, D') and target (B,)."""
        audio, vision = outputs.tensor("audio_embedding"), outputs.tensor("vision_embedding")
        if len(audio) < 2:
            return costs_nothing(audio) + costs_nothing(vision)
        found = correlations_of(cluster_moments(audio, vision, batch.target), self.ridge)
        return (1 - found).sum().to(precise(audio))
