"""A face that shows a score: its mouth, its brows and its colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.data.rendered.config import LABEL_RANGE, Rendering

Image = NDArray[np.floating]

_COLD = np.array([0.45, 0.55, 0.80], dtype=np.float32)
_WARM = np.array([0.95, 0.70, 0.40], dtype=np.float32)
_INK = np.array([0.10, 0.08, 0.08], dtype=np.float32)


@dataclass(frozen=True)
class Head:
    """What the clips of one video have in common; lengths in units of half the picture.

    Attributes:
        width, height: half axes of the face.
        x, y: where it is; y points down.
        backdrop: (3,) RGB of the wall: grey, so that colour is the face's alone.
        sway: how far it moves from side to side.
    """

    width: float
    height: float
    x: float
    y: float
    backdrop: Image
    sway: float


def draw_head(random: np.random.Generator) -> Head:
    """A head of random build in front of a wall of random grey."""
    return Head(
        width=random.uniform(0.52, 0.68),
        height=random.uniform(0.68, 0.82),
        x=random.uniform(-0.12, 0.12),
        y=random.uniform(-0.08, 0.08),
        backdrop=np.full(3, random.uniform(0.2, 0.8), dtype=np.float32),
        sway=random.uniform(0.02, 0.08),
    )


def pictures(
    config: Rendering, head: Head, score: float, random: np.random.Generator, count: int
) -> NDArray[np.uint8]:
    """(count, H, W, 3) RGB pictures of a head that shows `score`, and sways once in `frames` of them."""
    phase = random.uniform(0, 2 * np.pi)
    shift = head.x + head.sway * np.sin(phase + 2 * np.pi * np.arange(count) / config.frames)
    # One after the other: the pictures of a long clip would fill the memory as floating point numbers.
    return np.stack([_seen(config, _picture(head, x, mood(score), config.size), random) for x in shift])


def mood(score: float) -> float:
    """The score as a share of its range, from -1 to 1."""
    return float(np.clip(score / LABEL_RANGE[1], -1, 1))


def _seen(config: Rendering, clean: Image, random: np.random.Generator) -> NDArray[np.uint8]:
    noise = random.standard_normal(clean.shape, dtype=np.float32)
    return (np.clip(clean + config.pixel_sd * noise, 0, 1) * 255).round().astype(np.uint8)


def _picture(head: Head, shift: float, mood: float, size: int) -> Image:
    axis = (np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1
    x, y = axis[None, :] - np.float32(shift), axis[:, None] - np.float32(head.y)
    skin = _COLD + (_WARM - _COLD) * (mood + 1) / 2
    # The ellipse equation over its gradient is close to the distance from the outline.
    round_ = 1 - np.sqrt((x / head.width) ** 2 + (y / head.height) ** 2)
    image = _paint(
        np.broadcast_to(head.backdrop, (size, size, 3)), _inside(round_ * head.width, size), skin
    )
    return _paint(image, _features(x, y, mood, size), _INK)


def _features(x: Image, y: Image, mood: float, size: int) -> Image:
    """(H, W) how much ink there is: two eyes, two brows, a mouth."""
    side = np.abs(x)
    eyes = 0.08 - np.hypot(side - 0.24, y + 0.15)
    # Inner ends go down when the mood is bad, up when it is good.
    brow_line = -0.36 - 0.12 * mood * (0.24 - side) / 0.14
    brows = np.minimum(0.035 - np.abs(y - brow_line), 0.14 - np.abs(side - 0.24))
    mouth_line = 0.34 + 0.16 * mood * (0.5 - (x / 0.32) ** 2)
    mouth = np.minimum(0.05 - np.abs(y - mouth_line), 0.32 - side)
    return _inside(np.maximum(np.maximum(eyes, brows), mouth), size)


def _inside(depth: Image, size: int) -> Image:
    """How much of a pixel lies inside: 0 to 1 over the width of one pixel around depth 0."""
    return np.clip(depth * size / 2 + 0.5, 0, 1)


def _paint(image: Image, cover: Image, colour: Image) -> Image:
    return image + cover[..., None] * (colour - image)
