"""What either route hands to the method."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.nn.clip.video_prompts import standardised
from harness.nn.stretches import without_padding
from harness.types import Padded


@dataclass(frozen=True)
class Seen:
    """A batch of clips as vectors of one width; what the teacher is not given is None.

    Attributes:
        sound: (B, D).
        pictures: (B, T, D) a vector a frame, or a stretch of features.
        patches: (B, N, d) standardised patch tokens, averaged over a clip's frames.
        utterance: (B, D).
    """

    sound: Tensor | None = None
    pictures: Padded | None = None
    patches: Tensor | None = None
    utterance: Tensor | None = None

    def sequence(self) -> Padded:
        """(B, S, D): the sound, then the pictures; without either the utterance, as the only step."""
        parts = [] if self.sound is None else [_as_step(self.sound)]
        # The sound is in front, where its position does not depend on the number of frames.
        if self.pictures is not None:
            parts.append(without_padding(self.pictures))
        if not parts and self.utterance is not None:
            parts.append(_as_step(self.utterance))
        values, masks = [part.values for part in parts], [part.mask for part in parts]
        return Padded(torch.cat(values, dim=1), torch.cat(masks, dim=1))

    def looked_at(self) -> Padded:
        """(B, N, d): what the prompts look at, patches where there are any, else the sequence."""
        if self.patches is not None:
            return Padded(self.patches, self.patches.new_ones(self.patches.shape[:2], dtype=torch.bool))
        steps = self.sequence()
        return Padded(standardised(steps.values), steps.mask)


def _as_step(vector: Tensor) -> Padded:
    return Padded(vector.unsqueeze(1), vector.new_ones(len(vector), 1, dtype=torch.bool))
