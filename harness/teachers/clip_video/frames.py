"""The frames route: pictures, sound and words of a clip, through the towers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.nn.clip.audio_token import AudioToken
from harness.nn.clip.cross_frame import CrossFrame
from harness.nn.clip.tower import ClipTower
from harness.nn.clip.video_prompts import standardised
from harness.nn.stretches import spread, take_evenly
from harness.spec import BadInput
from harness.teachers.clip_video.config import ClipVideoConfig
from harness.teachers.clip_video.seen import Seen
from harness.types import Batch, DataInfo, Padded


class FramesRoute(nn.Module):
    """Frames (B, T, 3, H, W), log-mel bands (B, T', D') and tokens (B, L) as vectors.

    Only existing frames go through the tower. What frozen towers say is read from
    `Batch.precomputed` where it is there.
    """

    def __init__(self, config: ClipVideoConfig, info: DataInfo, tower: ClipTower, width: int) -> None:
        super().__init__()
        self.config = config
        self.width = width
        self.patch_sizes = (
            tower.patch_sizes() if config.sees_frames and config.enhanced_prompts else None
        )
        self.cross_frame: CrossFrame | None = None
        if config.sees_frames and config.cross_frame:
            self.cross_frame = CrossFrame(*tower.message_sizes())
        self.audio: AudioToken | None = None
        if "audio" in config.modalities:
            self.audio = AudioToken(info.width("audio"), width)

    @property
    def looked_width(self) -> int:
        """The width d of what the prompts look at."""
        return self.width if self.patch_sizes is None else self.patch_sizes[1]

    def forward(self, batch: Batch, tower: ClipTower) -> Seen:
        """The clips' vectors."""
        sound = None if self.audio is None else self.audio(_there(batch.audio, "audio"))
        pictures, patches, utterance = None, None, None
        if self.config.sees_frames:
            pictures, patches = self._pictures(batch, tower)
        if self.config.reads_words:
            utterance = self._utterance(batch, tower)
        return Seen(sound, pictures, patches, utterance)

    def precompute(self, batch: Batch, tower: ClipTower) -> dict[str, Tensor]:
        """What the frozen towers say, by the names that `forward` looks for."""
        found: dict[str, Tensor] = {}
        if self.config.frames_are_fixed:
            pictures, patches = self._pictures(batch, tower)
            found |= {"frame_vectors": pictures.values, "frame_mask": pictures.mask}
            if patches is not None:
                found["patches"] = patches
        if self.config.words_are_fixed:
            found["utterance"] = self._utterance(batch, tower)
        return found

    def _utterance(self, batch: Batch, tower: ClipTower) -> Tensor:
        if "utterance" in batch.precomputed:
            return batch.precomputed["utterance"]
        tokens = _there(batch.tokens, "tokens; call tokenise on the clips first")
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.words_are_fixed):
            return tower.text_vectors(tokens.values)

    def _pictures(self, batch: Batch, tower: ClipTower) -> tuple[Padded, Tensor | None]:
        found = batch.precomputed
        if "frame_vectors" in found:
            return Padded(found["frame_vectors"], found["frame_mask"]), found.get("patches")
        frames = _there(batch.frames, "frames")
        if self.config.frames_used is not None:
            frames = take_evenly(frames, self.config.frames_used, batch.ids)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frames_are_fixed):
            return self._looked(frames, tower)

    def _looked(self, frames: Padded, tower: ClipTower) -> tuple[Padded, Tensor | None]:
        mask = frames.mask
        if not mask.any():
            return self._nothing(mask, tower)
        vectors, patches = self._through_tower(frames.values[mask], mask, tower)
        pictures = Padded(spread(vectors, mask), mask)
        if patches is None:
            return pictures, None
        every = spread(standardised(patches), mask)
        return pictures, every.sum(1) / mask.sum(1).clamp(min=1).view(-1, 1, 1)

    def _through_tower(
        self, pixels: Tensor, mask: Tensor, tower: ClipTower
    ) -> tuple[Tensor, Tensor | None]:
        if self.cross_frame is not None:
            vectors, patches = tower.communicating_parts(pixels, mask, self.cross_frame)
            return vectors, patches if self.patch_sizes else None
        return tower.image_parts(pixels) if self.patch_sizes else (tower.image_vectors(pixels), None)

    def _nothing(self, mask: Tensor, tower: ClipTower) -> tuple[Padded, Tensor | None]:
        """A batch without a single frame."""
        empty = tower.pixel_mean.new_zeros
        patches = empty(len(mask), *self.patch_sizes) if self.patch_sizes else None
        return Padded(empty(*mask.shape, self.width), mask), patches


def tokenised(batch: Batch, tower: ClipTower) -> Padded:
    """The tokens (B, context) of the transcripts, all positions of the tower's context.

    Raises:
        BadInput: a transcript is empty; the clip is named.
    """
    transcripts = batch.transcripts or ()
    for clip, transcript in zip(batch.ids, transcripts, strict=True):
        if not transcript.strip():
            raise BadInput(
                f"the transcript of '{clip}' is empty, and the teacher is given text; leave text out, "
                "or the clip",
                key="modalities",
            )
    tokens = tower.tokens(transcripts)
    # The tower reads its whole context, padding included: some pool its last position.
    return Padded(tokens, torch.ones_like(tokens, dtype=torch.bool))


def _there(view: Padded | None, name: str) -> Padded:
    if view is None:
        raise ValueError(f"the frames route needs {name}; the batch has none")
    return view
