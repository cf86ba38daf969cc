"""CCA: the directions in which sound and pictures of the same clips correlate most."""

from __future__ import annotations

from baselines.retrieval.linear import LINEAR_SPACE, LinearBaseline, LinearConfig
from harness.nn.retrieval.towers import pooled
from harness.registry import BASELINES
from harness.types import Batch


class CcaConfig(LinearConfig):
    """Ridge, scale, and number of directions."""


@BASELINES.register(
    "cca",
    config=CcaConfig,
    paper="Hotelling 1936, Relations between Two Sets of Variates, Biometrika 28; as a baseline of "
    "retrieval: Rasiwasia et al. 2010, A New Approach to Cross-Modal Multimedia Retrieval",
    tiny={"width": 3},
    space=LINEAR_SPACE,
)
class Cca(LinearBaseline):
    """Mean features of sound and pictures on their canonical directions.

    Every clip is a pair; no label is read. In closed form: there are no epochs.
    """

    def fit(self, clips: Batch) -> None:
        """Finds the directions.

        Raises:
            BadInput: too few clips, or features that are the same or do not correlate.
        """
        self.head.fit(pooled(clips.audio), pooled(clips.vision))
