"""A shape that moves: its outline and its way to move are the class's, all else is the video's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.data.events.config import EventRendering
from harness.data.events.scene import Scene

Image = NDArray[np.floating]

_TRAVEL = 0.3
"""How far a shape moves to each side, in units of half the picture."""


@dataclass(frozen=True)
class Look:
    """What the clips of one video have in common; lengths in units of half the picture.

    Attributes:
        x, y: around where it moves; y points down.
        radius: of the shape.
        tempo_hz: how often it repeats its way a second.
        ink: (3,) RGB of the shape.
        wall: (3,) RGB of what is behind it.
        shade: (2,) how much brighter the wall is at the right and at the bottom.
    """

    x: float
    y: float
    radius: float
    tempo_hz: float
    ink: Image
    wall: Image
    shade: Image


@dataclass(frozen=True)
class Pose:
    """Where a shape is at T moments, each (T,): shifts in travels, angle in radians, size a factor."""

    x: Image
    y: Image
    angle: Image
    size: Image


def draw_look(config: EventRendering, scene: Scene, random: np.random.Generator) -> Look:
    """Colours and a place; the brightness of the shape differs by `contrast` from the wall's."""
    wall = random.uniform(0.3, 0.7)
    darker = random.random() < 0.5
    hues = random.normal(0, 0.12, (2, 3))
    hues -= hues.mean(1, keepdims=True)
    return Look(
        x=random.uniform(-0.3, 0.3),
        y=-0.35 * scene.height,
        radius=0.4 + 0.1 * scene.size,
        tempo_hz=scene.tempo_hz,
        ink=wall + config.contrast * (-1 if darker else 1) + hues[0],
        wall=wall + hues[1],
        shade=random.uniform(-0.1, 0.1, 2),
    )


def pictures(
    config: EventRendering, look: Look, label: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """(T, H, W, 3) RGB pictures of the shape of class `label`, which moves as its class does."""
    phase, tilt = random.uniform(0, 1), random.uniform(-0.5, 0.5)
    cycles = phase + look.tempo_hz * np.arange(config.frames) / config.fps
    pose = MOTIONS[label](cycles)
    noise = random.standard_normal((config.frames, config.size, config.size, 3), dtype=np.float32)
    axis = (np.arange(config.size) + 0.5) * 2 / config.size - 1
    cover = _cover(look, label, pose, tilt, axis)[..., None]
    wall = look.wall + (look.shade[0] * axis[None, :] + look.shade[1] * axis[:, None])[..., None]
    clean = wall + cover * (look.ink - wall)
    return (np.clip(clean + config.pixel_sd * noise, 0, 1) * 255).round().astype(np.uint8)


def _cover(look: Look, label: int, pose: Pose, tilt: float, axis: Image) -> Image:
    """(T, H, W) how much of a pixel the shape covers."""
    x = axis[None, None, :] - (look.x + _TRAVEL * pose.x)[:, None, None]
    y = axis[None, :, None] - (look.y + _TRAVEL * pose.y)[:, None, None]
    angle = (pose.angle + tilt)[:, None, None]
    radius = (look.radius * pose.size)[:, None, None]
    across = (np.cos(angle) * x + np.sin(angle) * y) / radius
    down = (np.cos(angle) * y - np.sin(angle) * x) / radius
    # From 0 to 1 over the width of one pixel around depth 0.
    return np.clip(OUTLINES[label](across, down) * radius * len(axis) / 2 + 0.5, 0, 1)


def _triangle(x: Image, y: Image) -> Image:
    slopes = np.stack([np.broadcast_to(y, x.shape), *(-y / 2 + s * x * 3**0.5 / 2 for s in (-1, 1))])
    return 0.5 - slopes.max(0)


def _cross(x: Image, y: Image) -> Image:
    long, short = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    return np.minimum(1 - long, 0.28 - short)


def _star(x: Image, y: Image) -> Image:
    return 0.68 + 0.32 * np.cos(5 * np.arctan2(x, -y)) - np.hypot(x, y)


def _crescent(x: Image, y: Image) -> Image:
    return np.minimum(1 - np.hypot(x, y), np.hypot(x - 0.5, y) - 0.8)


def _checker(x: Image, y: Image) -> Image:
    board = 0.9 - np.maximum(np.abs(x), np.abs(y))
    return np.minimum(board, np.minimum(np.abs(x), np.abs(y)) * np.sign(x * y))


def _chevron(x: Image, y: Image) -> Image:
    return np.minimum(0.28 - np.abs(y - np.abs(x) + 0.4), 0.9 - np.abs(x))


OUTLINES: tuple[Callable[[Image, Image], Image], ...] = (
    lambda x, y: 0.9 - np.hypot(x, y),
    lambda x, y: 0.8 - np.maximum(np.abs(x), np.abs(y)),
    _triangle,
    _cross,
    lambda x, y: 0.2 - np.abs(np.hypot(x, y) - 0.75),
    _star,
    lambda x, y: np.minimum(1 - np.abs(x), 0.28 - np.abs(y)),
    _crescent,
    _checker,
    _chevron,
)
"""By class: depth inside the outline, negative outside, of points in units of the radius."""


def _moved(
    cycles: Image,
    x: Image | float = 0.0,
    y: Image | float = 0.0,
    angle: Image | float = 0.0,
    size: Image | float = 1.0,
) -> Pose:
    still = np.zeros_like(cycles)
    return Pose(still + x, still + y, still + angle, still + size)


def _wave(cycles: Image) -> Image:
    return np.sin(2 * np.pi * cycles)


def _ramp(cycles: Image) -> Image:
    return 2 * (cycles % 1) - 1


MOTIONS: tuple[Callable[[Image], Pose], ...] = (
    lambda c: _moved(c, y=1 - 2 * np.abs(_wave(c / 2))),  # bounces
    lambda c: _moved(c, x=_wave(c)),  # slides
    lambda c: _moved(c, angle=2 * np.pi * c / 3),  # spins
    lambda c: _moved(c, size=1 + 0.3 * _wave(c)),  # breathes
    lambda c: _moved(c, x=_wave(c), y=_wave(c + 0.25)),  # circles
    lambda c: _moved(c, size=1 + 0.2 * _wave(2 * c), angle=0.3 * _wave(c)),  # twinkles
    lambda c: _moved(c, angle=0.8 * _wave(c)),  # swings
    lambda c: _moved(c, y=_ramp(c)),  # falls
    lambda c: _moved(c, x=0.6 * _wave(3 * c)),  # shakes
    lambda c: _moved(c, x=_ramp(c), y=-_ramp(c)),  # climbs
)
"""By class: the pose after so many cycles of the tempo."""
