"""A plug-in with a data set for unit tests: words, features and frames that show a score."""

from __future__ import annotations

import torch
from pydantic import Field

from harness.data.parts.sequences import longest
from harness.registry import DATASETS
from harness.spec import DataConfig
from harness.types import Batch, DataInfo, Dataset, Padded

WORDS = ("awful", "bad", "poor", "plain", "fair", "good", "superb")
WIDTHS = {"text": 6, "vision": 5, "audio": 4}


class ToyConfig(DataConfig):
    """Sizes and seed."""

    seed: int = 0
    train: int = Field(24, ge=1)
    noise: float = 0.1


@DATASETS.register("toy", config=ToyConfig, paper="made for the tests", tiny={})
class Toy:
    """Clips whose every view is a noisy function of the score."""

    def __init__(self, config: ToyConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Nothing to make."""

    def fingerprint(self) -> str:
        """The configuration is all there is."""
        return f"toy-{self.config.seed}-{self.config.train}-{self.config.noise}"

    def load(self) -> Dataset:
        """Three splits, two clips a video."""
        draw = torch.Generator().manual_seed(self.config.seed)
        splits = {
            name: clips(name, count, self.config.noise, draw)
            for name, count in (("train", self.config.train), ("valid", 12), ("test", 16))
        }
        return Dataset(**splits, info=info(splits), findings=("toy clips",))


def info(splits: dict[str, Batch]) -> DataInfo:
    steps = {name: longest(splits.values(), name) for name in WIDTHS}
    return DataInfo(
        task="sentiment",
        label_range=(-3.0, 3.0),
        views=frozenset({"transcript", "token_ids", "text", "vision", "audio", "frames"}),
        text_width=WIDTHS["text"],
        vision_width=WIDTHS["vision"],
        audio_width=WIDTHS["audio"],
        text_steps=steps["text"],
        vision_steps=steps["vision"],
        audio_steps=steps["audio"],
        train_transcripts=splits["train"].transcripts or (),
        features="made for the tests",
    )


def clips(split: str, count: int, noise: float, draw: torch.Generator) -> Batch:
    score = torch.rand(count, generator=draw) * 6 - 3
    levels = (score.round() + 3).long().tolist()
    features = {
        name: sequence(score, width, int(torch.randint(3, 6, (1,), generator=draw)), noise, draw)
        for name, width in WIDTHS.items()
    }
    shade = ((score + 3) / 6 * 255).to(torch.uint8)
    frames = shade.view(-1, 1, 1, 1, 1).expand(count, 2, 3, 16, 16).clone()
    return Batch(
        ids=tuple(f"{split}{n // 2}$_${n % 2}" for n in range(count)),
        video_ids=tuple(f"{split}{n // 2}" for n in range(count)),
        target=score,
        transcripts=tuple(f"it was {WORDS[level]} and {WORDS[level]}" for level in levels),
        token_ids=token_ids(levels),
        frames=Padded(frames, torch.ones(count, 2, dtype=torch.bool)),
        **features,
    )


def token_ids(levels: list[int]) -> Padded:
    """A first and a last token around one word, which is said once or twice."""
    rows = [[1, *[10 + level] * (1 + level % 2), 2] for level in levels]
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    return Padded(ids, ids > 0)


def sequence(score: torch.Tensor, width: int, steps: int, noise: float, draw: torch.Generator) -> Padded:
    values = score.view(-1, 1, 1) + noise * torch.randn(len(score), steps, width, generator=draw)
    lengths = torch.randint(1, steps + 1, (len(score),), generator=draw)
    mask = torch.arange(steps) < lengths.unsqueeze(1)
    return Padded(values * mask.unsqueeze(2), mask)
