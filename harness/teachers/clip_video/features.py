"""The feature route: ready features of a clip's pictures, sound and words."""

from __future__ import annotations

from torch import nn

from harness.nn.clip.tower import ClipTower
from harness.nn.mlp import mlp
from harness.nn.stretches import average_stretches
from harness.teachers.clip_video.config import ClipVideoConfig
from harness.teachers.clip_video.seen import Seen
from harness.types import Batch, DataInfo, Padded


class FeaturesRoute(nn.Module):
    """Vision, audio and text features (B, S, D') as vectors, each step through an entry of its own.

    Vision becomes averages over stretches of the clip, audio and text one vector each.
    """

    def __init__(self, config: ClipVideoConfig, info: DataInfo, width: int) -> None:
        super().__init__()
        self.config = config
        self.width = width
        self.entries = nn.ModuleDict(
            {view: _entry(info.width(view), width, config.dropout) for view in sorted(config.needs())}
        )

    @property
    def looked_width(self) -> int:
        """The width of what the prompts look at, which is the sequence."""
        return self.width

    def forward(self, batch: Batch, tower: ClipTower) -> Seen:
        """The clips' vectors; there is nothing for the tower to see."""
        states = {view: self._entered(batch, view) for view in self.entries}
        pictures = states.get("vision")
        return Seen(
            sound=states["audio"].mean() if "audio" in states else None,
            pictures=average_stretches(pictures, self.config.feature_steps) if pictures else None,
            utterance=states["text"].mean() if "text" in states else None,
        )

    def _entered(self, batch: Batch, view: str) -> Padded:
        sequence: Padded | None = getattr(batch, view)
        if sequence is None:
            raise ValueError(f"the feature route needs {view} features; the batch has none")
        values = self.entries[view](sequence.values)
        return Padded(values.masked_fill(~sequence.mask.unsqueeze(2), 0), sequence.mask)


def _entry(width_in: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Dropout(dropout), mlp((width_in, width, width), dropout))
