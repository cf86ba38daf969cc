"""C-DCCA: towers whose vectors of every two clips of a class correlate."""

from __future__ import annotations

from typing import ClassVar

from baselines.retrieval.deep_cca import SPACE, TINY, DeepCca, DeepCcaConfig
from harness.registry import BASELINES


class CDCCAConfig(DeepCcaConfig):
    """Sizes of the towers, and the ridge of the last canonical correlation."""


@BASELINES.register(
    "c_dcca",
    config=CDCCAConfig,
    paper="Yu, Tang, Aizawa and Aizawa 2018, Category-Based Deep CCA, arXiv 1805.02997 (abstract read); "
    "the correlation is Rasiwasia et al. 2014, Cluster CCA, AISTATS, equations 7 to 9",
    tiny=TINY,
    space=SPACE,
)
class CDCCA(DeepCca):
    """Towers to be trained on `cluster_correlation`, then Cluster-CCA over all labelled training clips.

    The paper optimises the clips' own pairs along with those of a class: `cca_correlation` beside the
    other loss. Public code of the authors of TNN-C-CCA, who compare with it, mixes a fifth of the one
    cross-covariance with four fifths of the other, variances being those over clips; here the two
    losses are weighed so, and variances are those over the pairs that a loss is about.
    """

    clusters: ClassVar[bool] = True
