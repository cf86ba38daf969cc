"""The student with the architecture of DSCMR."""

from __future__ import annotations

from harness.nn.retrieval.dscmr import SPACE, SharedTowers, SharedTowersConfig
from harness.registry import STUDENTS


@STUDENTS.register(
    "dscmr_towers",
    config=SharedTowersConfig,
    paper="Zhen et al., CVPR 2019, Deep Supervised Cross-modal Retrieval (architecture)",
    tiny={"width": 4, "hidden": 8},
    space=SPACE,
)
class DSCMRTowers(SharedTowers):
    """A vector of the sound and one of the pictures, by towers that end in one layer for both."""
