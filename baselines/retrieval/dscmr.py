"""DSCMR: deep supervised cross-modal retrieval."""

from __future__ import annotations

from harness.nn.retrieval.dscmr import SPACE, SharedTowers, SharedTowersConfig
from harness.registry import BASELINES


@BASELINES.register(
    "dscmr",
    config=SharedTowersConfig,
    paper="Zhen et al., CVPR 2019, Deep Supervised Cross-modal Retrieval",
    tiny={"width": 4, "hidden": 8},
    space=SPACE,
)
class DSCMR(SharedTowers):
    """Towers that share their last layer and a linear predictor of labels.

    To be trained on `label_regression`, `pairwise_likelihood` and `pair_distance` (J1, J2 and J3).
    """
