"""What the clips of one video have in common and no class decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.events.config import EventRendering


@dataclass(frozen=True)
class Scene:
    """Numbers from -1 to 1, the lowest to the highest of their range.

    Attributes:
        tempo: how fast things move, and how fast sounds repeat themselves.
        height: how far up the shape is.
        size: of the shape.
        pitch: of the sound.
        level: how loud the sound is.
    """

    tempo: float
    height: float
    size: float
    pitch: float
    level: float

    @property
    def tempo_hz(self) -> float:
        """How often a movement or a sound repeats itself a second."""
        return 1.2 * 1.4**self.tempo


def draw_scene(config: EventRendering, random: np.random.Generator) -> Scene:
    """Every number is drawn evenly; at the rate `shared`, pitch is the height and level the size."""
    tempo, height, size, pitch, level = (float(value) for value in random.uniform(-1, 1, 5))
    follows = random.random(2) < config.shared
    return Scene(tempo, height, size, height if follows[0] else pitch, size if follows[1] else level)
