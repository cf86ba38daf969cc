"""EICS-style: explicit and implicit dual common subspaces."""

from __future__ import annotations

from harness.nn.retrieval.eics import SPACE, DualSpaces, DualSpacesConfig
from harness.registry import BASELINES


@BASELINES.register(
    "eics",
    config=DualSpacesConfig,
    paper="EICS-style: Zeng et al., TOMM 2023, doi 10.1145/3564608 (abstract)",
    tiny={"width": 4, "hidden": 8},
    space=SPACE,
)
class EICS(DualSpaces):
    """A common space that pulls a clip's sound to its pictures, beside one that separates classes.

    To be trained on `explicit_distance` (the explicit codes), `modal_ce` (the implicit ones) and
    `cross_triplet` (the embeddings, which keeps the explicit codes from being all one).
    """
