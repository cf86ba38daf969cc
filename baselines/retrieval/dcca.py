"""DCCA: towers whose vectors of a clip's sound and pictures correlate as much as they can."""

from __future__ import annotations

from baselines.retrieval.deep_cca import SPACE, TINY, DeepCca, DeepCcaConfig
from harness.registry import BASELINES


class DCCAConfig(DeepCcaConfig):
    """Sizes of the towers, and the ridge of the last canonical correlation."""


@BASELINES.register(
    "dcca",
    config=DCCAConfig,
    paper="Andrew, Arora, Bilmes and Livescu 2013, Deep Canonical Correlation Analysis, ICML, section 3",
    tiny=TINY,
    space=SPACE,
)
class DCCA(DeepCca):
    """Towers to be trained on `cca_correlation`, then linear CCA over all training clips.

    No label is read. The paper trains on the whole training set by L-BFGS after layerwise pretraining,
    with a cubic-root activation; here mini-batches, which have to be several times as large as the
    width, without pretraining and with rectified units.
    """
