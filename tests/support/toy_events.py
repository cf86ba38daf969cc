"""A plug-in with a data set for unit tests: sounds and pictures that show a class."""

from __future__ import annotations

import torch
from pydantic import Field

from harness.registry import DATASETS
from harness.spec import DataConfig
from harness.types import Batch, DataInfo, Dataset, Padded

CLASSES = ("bell", "dog", "engine", "rain")
WIDTHS = {"text": 6, "vision": 9, "audio": 7}


class ToyEventsConfig(DataConfig):
    """Sizes and seed."""

    task = "retrieval"

    seed: int = 0
    train: int = Field(48, ge=1)
    noise: float = 0.5


@DATASETS.register("toy_events", config=ToyEventsConfig, paper="made for the tests", tiny={})
class ToyEvents:
    """Clips whose every feature is a noisy function of the class, two clips a video."""

    def __init__(self, config: ToyEventsConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Nothing to make."""

    def fingerprint(self) -> str:
        """The configuration is all there is."""
        return f"toy-events-{self.config.seed}-{self.config.train}-{self.config.noise}"

    def load(self) -> Dataset:
        """Three splits of the same classes."""
        draw = torch.Generator().manual_seed(self.config.seed)
        shapes = {
            name: torch.randn(len(CLASSES), width, generator=draw) for name, width in WIDTHS.items()
        }
        splits = {
            name: events(name, count, self.config.noise, shapes, draw)
            for name, count in (("train", self.config.train), ("valid", 16), ("test", 24))
        }
        return Dataset(**splits, info=info(), findings=("toy events",))


def info() -> DataInfo:
    return DataInfo(
        task="retrieval",
        label_range=(0.0, len(CLASSES) - 1.0),
        classes=CLASSES,
        views=frozenset(WIDTHS),
        text_width=WIDTHS["text"],
        vision_width=WIDTHS["vision"],
        audio_width=WIDTHS["audio"],
        text_steps=3,
        vision_steps=3,
        audio_steps=3,
        features="made for the tests",
    )


def events(
    split: str, count: int, noise: float, shapes: dict[str, torch.Tensor], draw: torch.Generator
) -> Batch:
    """`count` clips of the classes in turn, each of one to three steps."""
    label = torch.arange(count) % len(CLASSES)
    lengths = torch.randint(1, 4, (count, 1), generator=draw)
    mask = torch.arange(3) < lengths
    views = {name: shown(shape[label], mask, noise, draw) for name, shape in shapes.items()}
    return Batch(
        ids=tuple(f"{split}{n}" for n in range(count)),
        video_ids=tuple(f"{split}-video{n // 2}" for n in range(count)),
        target=label,
        **views,
    )


def shown(means: torch.Tensor, mask: torch.Tensor, noise: float, draw: torch.Generator) -> Padded:
    """Steps around the means (B, D)."""
    noises = noise * torch.randn(*mask.shape, means.shape[1], generator=draw)
    return Padded((means.unsqueeze(1) + noises) * mask.unsqueeze(2), mask)
