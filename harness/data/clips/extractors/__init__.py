"""What turns the pictures and the sound of a clip into features, and what of it has weights.

A baseline that reads features is charged for these. The extractors of its paper (OpenFace or Facet for
faces, COVAREP for voices) are programs that no Python package brings; what is here stands in for them.
"""

from harness.data.clips.extractors.choice import Extractors, extractors

__all__ = ["Extractors", "extractors"]
