"""From a clip as it is seen to one vector of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.nn.clip.gate import Gate
from harness.nn.clip.integration import Integration
from harness.nn.clip.tower import ClipTower
from harness.nn.mlp import mlp
from harness.nn.stretches import spread, take_evenly, without_padding
from harness.teachers.match_score.config import MatchScoreConfig
from harness.types import Batch, DataInfo, Padded

VECTORS, MASK = "frame_vectors", "frame_mask"


class Sights(nn.Module):
    """Every view's steps in one width, integrated or not, averaged, and joined to the clip's vector.

    Features (B, T, D') go through a linear layer, frames (B, T, 3, H, W) through the vision tower. A
    view without a single step adds nothing. Joined, u becomes e = u + MLP(LN(u)).
    """

    def __init__(self, config: MatchScoreConfig, info: DataInfo, width: int) -> None:
        super().__init__()
        self.config = config
        self.width = width
        self.entries = nn.ModuleDict(
            {
                view: nn.Sequential(nn.Dropout(config.dropout), nn.Linear(info.width(view), width))
                for view in config.sees
                if view != "frames"
            }
        )
        self.integrations = nn.ModuleDict(
            {view: Integration(width, config.positions(view, info)) for view in config.sees}
            if config.integration
            else {}
        )
        # The first view is the base, which the others join.
        gated = config.sees[1:] if config.fusion == "gated" else ()
        self.gates = nn.ModuleDict({view: Gate(width) for view in gated})
        self.norm = nn.LayerNorm(width)
        self.joint = mlp((width, 2 * width, width), config.dropout)

    def forward(self, batch: Batch, tower: ClipTower | None) -> Tensor:
        """(B, D) the clips' vectors."""
        clip: Tensor | None = None
        for view in self.config.sees:
            vector = self._pooled(view, self._steps(view, batch, tower))
            if clip is None:
                clip = vector
            else:
                clip = self.gates[view](clip, vector) if view in self.gates else clip + vector
        if clip is None:
            raise ValueError("a teacher that sees nothing has no vector of a clip")
        return clip + self.joint(self.norm(clip))

    def frames(self, batch: Batch, tower: ClipTower) -> Padded:
        """(B, T, D) a vector a frame, read from `Batch.precomputed` where it is there."""
        if VECTORS in batch.precomputed:
            return Padded(batch.precomputed[VECTORS], batch.precomputed[MASK])
        frames = _there(batch.frames, "frames")
        if self.config.frames_used is not None:
            frames = take_evenly(frames, self.config.frames_used, batch.ids)
        mask = frames.mask
        if not mask.any():
            return Padded(tower.pixel_mean.new_zeros(*mask.shape, self.width), mask)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frames_are_fixed):
            return Padded(spread(tower.image_vectors(frames.values[mask]), mask), mask)

    def _steps(self, view: str, batch: Batch, tower: ClipTower | None) -> Padded:
        if view not in self.entries:
            if tower is None:
                raise ValueError("frames are seen through a tower, and there is none")
            return self.frames(batch, tower)
        features = _there(getattr(batch, view), view)
        values = self.entries[view](features.values)
        return Padded(values.masked_fill(~features.mask.unsqueeze(2), 0), features.mask)

    def _pooled(self, view: str, steps: Padded) -> Tensor:
        if view in self.integrations:
            states: Padded = self.integrations[view](without_padding(steps))
            return states.mean()
        return steps.mean()


def _there(view: Padded | None, name: str) -> Padded:
    if view is None:
        raise ValueError(f"the teacher needs {name}; the batch has none")
    return view
