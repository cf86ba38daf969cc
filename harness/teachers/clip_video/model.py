"""The teacher: a CLIP that sees a clip and sentences for the sentiment levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from harness.nn.clip.frozen import frozen_hash
from harness.nn.clip.gate import Gate
from harness.nn.clip.integration import Integration
from harness.nn.clip.layers import train_last
from harness.nn.clip.video_prompts import VideoPrompts
from harness.nn.mlp import mlp
from harness.registry import TEACHERS
from harness.spec import ChoiceSpace, FloatSpace, IntSpace, View
from harness.teachers.clip_video.config import ClipVideoConfig
from harness.teachers.clip_video.features import FeaturesRoute
from harness.teachers.clip_video.frames import FramesRoute, tokenised
from harness.types import Batch, DataInfo, Outputs

PARTS = {
    "cross_frame": "cross-frame communication",
    "integration": "multi-frame integration",
    "enhanced_prompts": "video-enhanced prompts",
}


@TEACHERS.register(
    "clip_video",
    config=ClipVideoConfig,
    paper="VideoAdviser, arXiv 2309.15494 (our reading); X-CLIP, arXiv 2208.02816; "
    "CLIP, arXiv 2103.00020",
    tiny={
        "tower": None,
        "weights": None,
        "width": 16,
        "joint_width": 16,
        "layers": 1,
        "heads": 2,
        "image_size": 16,
        "frames_used": None,
    },
    space={
        # A named tower has its sizes. Every number of heads divides every width.
        "width": ChoiceSpace(choices=(32, 64, 128), when={"tower": None}),
        "layers": IntSpace(low=1, high=4, when={"tower": None}),
        "heads": ChoiceSpace(choices=(2, 4, 8), when={"tower": None}),
        "joint_width": ChoiceSpace(choices=(32, 64, 128), when={"tower": None}),
        "alpha": FloatSpace(low=0.01, high=1, log=True, when={"enhanced_prompts": True}),
        "tower_rate": FloatSpace(low=0.01, high=1, log=True),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class ClipVideo(nn.Module):
    """Class logits of a clip against a prompt a sentiment level, and a regression read from them.

    What the clip is seen as becomes a sequence: a token of its sound, a vector a frame, whose frames
    may exchange messages. Integrated and averaged it is v; the utterance u joins through a gate,
    v' = v + g u. Class logits are exp(scale) cos(v', prompts), where the prompts may have looked at the
    clip; the score r is a small head. Without video the sequence is what else there is: the sound,
    or the utterance as its only step. Prompts look at patch tokens, and at the sequence (before it is
    integrated) where there are none, as on the feature route.
    """

    def __init__(self, config: ClipVideoConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.tower = config.build_tower()
        self.register_buffer("prompt_tokens", self.tower.tokens(config.prompts), persistent=False)
        with torch.no_grad():
            prompts = self.tower.eval().text_vectors(self.prompt_tokens)
        width = prompts.shape[1]
        self.route: FramesRoute | FeaturesRoute = (
            FramesRoute(config, info, self.tower, width)
            if config.route == "frames"
            else FeaturesRoute(config, info, width)
        )
        self._still = self._settle_towers(prompts)
        self.integration = Integration(width, config.positions) if config.integration else None
        together = "text" in config.modalities and len(config.modalities) > 1
        self.gate = Gate(width) if together else None
        self.video_prompts = (
            VideoPrompts(self.route.looked_width, width, config.alpha)
            if config.enhanced_prompts
            else None
        )
        read = {"logits": config.levels, "embedding": width, "both": config.levels + width}
        self.head = mlp((read[config.regression_from], 4 * config.levels, 1), config.dropout)
        self.train()

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), class logits (B, K), clip vector (B, D) and the sequence (B, S, D)."""
        seen = self.route(batch, self.tower)
        steps = seen.sequence()
        states = self.integration(steps) if self.integration else steps
        clip = states.mean()
        if self.gate is not None:
            clip = self.gate(clip, seen.utterance)
        prompts = self._prompts()
        if self.video_prompts is not None:
            prompts = self.video_prompts(prompts, seen.looked_at())
        cosine = (normalize(prompts, dim=-1) @ normalize(clip, dim=1).unsqueeze(2)).squeeze(2)
        class_logits = self.tower.logit_scale.exp() * cosine
        score = self.head(self._read(class_logits, clip)).squeeze(1)
        return Outputs(score, class_logits, embedding=clip, hidden=states)

    def train(self, mode: bool = True) -> Self:
        """Sets the mode; what is not trained stays in evaluation, statistics and all."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips, with `tokens` (B, context) if the teacher reads their transcripts.

        Raises:
            BadInput: it does, and a transcript is empty.
        """
        return replace(batch, tokens=tokenised(batch, self.tower)) if self.config.reads_words else batch

    def rate_scale(self, name: str) -> float:
        """`tower_rate` for the towers and the temperature, 1 for all that is fresh."""
        return self.config.tower_rate if name.startswith("tower.") else 1.0

    def frozen_identity(self) -> str | None:
        """A hash of the frozen towers that see a clip, and of how it is prepared for them."""
        config, tower, parts = self.config, self.tower, {}
        settings: dict[str, object] = {}
        if config.frames_are_fixed:
            parts["visual"] = tower.visual
            statistics = torch.cat((tower.pixel_mean, tower.pixel_std)).flatten().tolist()
            settings |= {"image_size": tower.image_size, "pixel_statistics": statistics}
            settings |= {"frames_used": config.frames_used, "patches": config.enhanced_prompts}
        if config.words_are_fixed:
            parts["text"] = tower.text
            settings |= {"words": config.tower, "context": self.prompt_tokens.shape[1]}
        return frozen_hash(parts, settings) if parts else None

    @torch.no_grad()
    def precompute(self, batch: Batch) -> dict[str, Tensor]:
        """Of frozen towers: ``frame_vectors`` (B, T, D), ``frame_mask``, ``patches``, ``utterance``.

        ``patches`` (B, N, d) are standardised and averaged over frames; ``utterance`` is (B, D).
        """
        if not isinstance(self.route, FramesRoute):
            return {}
        return self.route.precompute(batch, self.tower)

    def replaced_views(self) -> frozenset[View]:
        """Frames, transcripts or both, where a frozen tower reads them."""
        fixed: dict[View, bool] = {
            "frames": self.config.frames_are_fixed,
            "transcript": self.config.words_are_fixed,
        }
        return frozenset(view for view, is_fixed in fixed.items() if is_fixed)

    def notes(self) -> tuple[str, ...]:
        """Where the weights come from, what is seen, and which parts are on."""
        config = self.config
        on = [told for name, told in PARTS.items() if getattr(config, name)]
        if not config.sees_frames and config.cross_frame:
            on.remove(PARTS["cross_frame"])
        return (
            f"teacher tower: {config.tower or 'small CLIP'}, {config.weights or 'random weights'}",
            f"teacher sees {', '.join(config.modalities)} as {config.route}",
            f"teacher parts: {', '.join(on) or 'none beyond the mean and the class prompts'}",
        )

    def _settle_towers(self, prompts: Tensor) -> list[nn.Module]:
        """Drops the towers that nothing reads; freezes the others as configured, and returns what is."""
        config, tower = self.config, self.tower
        still = []
        if config.text_layers_trained == 0:
            # A frozen tower would say the same of the same prompts for ever: keep what it said.
            self.register_buffer("prompts", prompts)
            tower.text = tower.text if config.reads_words else None
        if tower.text is not None:
            still += train_last(tower.text, config.text_layers_trained, "text_layers_trained")
        tower.visual = tower.visual if config.sees_frames else None
        if tower.visual is not None:
            still += train_last(tower.visual, config.vision_layers_trained, "vision_layers_trained")
        return still

    def _prompts(self) -> Tensor:
        if self.config.text_layers_trained == 0:
            return self.prompts
        return self.tower.text_vectors(self.prompt_tokens)

    def _read(self, class_logits: Tensor, clip: Tensor) -> Tensor:
        if self.config.regression_from == "logits":
            return class_logits
        return clip if self.config.regression_from == "embedding" else torch.cat((class_logits, clip), 1)
