"""The EICS-style student: an explicit and an implicit common space."""

from __future__ import annotations

from harness.nn.retrieval.eics import SPACE, DualSpaces, DualSpacesConfig
from harness.registry import STUDENTS


@STUDENTS.register(
    "eics_encoder",
    config=DualSpacesConfig,
    paper="EICS-style: Zeng et al., TOMM 2023, doi 10.1145/3564608 (abstract)",
    tiny={"width": 4, "hidden": 8},
    space=SPACE,
)
class EICSEncoder(DualSpaces):
    """A vector of the sound and one of the pictures, each of an explicit and an implicit code."""
