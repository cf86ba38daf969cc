"""TNN-C-CCA: towers trained on triplets across modalities, then Cluster-CCA of their vectors."""

from __future__ import annotations

from typing import ClassVar

from baselines.retrieval.deep_cca import SPACE, TINY, DeepCca, DeepCcaConfig
from harness.registry import BASELINES


class TNNCCCAConfig(DeepCcaConfig):
    """Sizes of the towers, and the ridge of the last canonical correlation."""


@BASELINES.register(
    "tnn_c_cca",
    config=TNNCCCAConfig,
    paper="Zeng, Yu and Oyama 2020, Deep Triplet Neural Networks with Cluster-CCA, ACM TOMM, "
    "arXiv 1908.03737",
    tiny=TINY,
    space=SPACE,
)
class TNNCCCA(DeepCca):
    """Towers to be trained on `cross_triplet`, then Cluster-CCA over all labelled training clips.

    The authors' public code has three hidden layers of 100 and dropout of 0.1, as here, and 10
    dimensions. Its units are tanh and its vectors end in tanh, dropout and a sigmoid; here hidden units
    are rectified and the last layer is linear: between 0.27 and 0.73 all cosines are alike.
    """

    clusters: ClassVar[bool] = True
