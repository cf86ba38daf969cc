"""The teacher: a CLIP that sees the frames of a clip and sentences for the sentiment levels."""

from __future__ import annotations

from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import normalize

from harness.nn.clip_tower import ClipTower, SmallTower, check_tower, named_tower, small_tower
from harness.nn.mlp import mlp
from harness.registry import TEACHERS
from harness.spec import ModelConfig, OutputName, View
from harness.types import Batch, DataInfo, Outputs

PROMPTS = (
    "a person who feels very negative",
    "a person who feels negative",
    "a person who feels slightly negative",
    "a person who feels neutral",
    "a person who feels slightly positive",
    "a person who feels positive",
    "a person who feels very positive",
)


class ClipVideoConfig(ModelConfig):
    """A named open_clip tower, or a small one of the given sizes; frames, or ready features."""

    tower: str | None = Field(
        None, description="open_clip architecture; null = small, from the sizes below"
    )
    weights: str | None = Field(
        None, description="pretrained tag or checkpoint file; null = random weights"
    )
    image_size: int = Field(32, ge=8, description="pixels a side of the small tower")
    patch: int = Field(8, ge=2, description="pixels a side of a patch of the small tower")
    width: int = Field(64, ge=8, description="vision width of the small tower")
    layers: int = Field(2, ge=1, description="vision layers of the small tower")
    heads: int = Field(4, ge=1, description="attention heads of the small tower")
    joint_width: int = Field(64, ge=8, description="D of the small tower")
    text_layers: int = Field(1, ge=1, description="text layers of the small tower")
    context: int = Field(16, ge=8, description="prompt tokens of the small tower")
    route: Literal["frames", "features"] = Field("frames", description="what the video is seen as")
    features: tuple[Literal["vision", "audio", "text"], ...] = Field(
        ("vision", "audio"), min_length=1, description="views of the feature route"
    )
    prompts: tuple[str, ...] = Field(
        PROMPTS, min_length=3, description="a sentence a level, lowest first"
    )
    train_text_tower: bool = Field(False, description="false keeps the prompts' vectors fixed")
    train_vision_tower: bool = Field(True, description="false keeps the frame vectors fixed")
    dropout: float = Field(0.1, ge=0, lt=1, description="on features and in the regression head")

    @model_validator(mode="after")
    def _sizes_divide(self) -> Self:
        if self.width % self.heads or self.joint_width % self.heads:
            raise ValueError(
                f"width and joint_width must be multiples of heads, given {self.heads} heads"
            )
        if self.tower is None and self.weights is not None:
            raise ValueError("weights belong to a named tower; set tower, or leave weights out")
        return self

    def needs(self) -> frozenset[View]:
        """Frames, or the features named."""
        return frozenset({"frames"} if self.route == "frames" else self.features)

    def gives(self) -> frozenset[OutputName]:
        """Class logits and the video vector beside the score."""
        return frozenset({"score", "class_logits", "embedding"})

    def check(self) -> None:
        """Whether open_clip knows the tower, and the weights are a tag of it or a file."""
        if self.tower is not None:
            check_tower(self.tower, self.weights)


@TEACHERS.register(
    "clip_video",
    config=ClipVideoConfig,
    paper="VideoAdviser, arXiv 2309.15494 (our reading); CLIP, arXiv 2103.00020",
    tiny={"width": 16, "joint_width": 16, "layers": 1, "heads": 2, "image_size": 16},
)
class ClipVideo(nn.Module):
    """Class logits of a clip against a prompt a sentiment level, and a regression read from them.

    The video vector v is the mean over frame vectors; class logits are exp(scale) cos(v, prompt);
    the score r is a small head on the class logits. Cross-frame communication, multi-frame
    integration and video-enhanced prompts are not part of this version.
    """

    def __init__(self, config: ClipVideoConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.tower = _tower(config)
        self.register_buffer("prompt_tokens", self.tower.tokens(config.prompts), persistent=False)
        with torch.no_grad():
            prompts = self.tower.text_vectors(self.prompt_tokens)
        if not config.train_text_tower:
            # A fixed tower would say the same of the same prompts for ever: keep what it said.
            self.register_buffer("prompts", prompts)
            self.tower.text = None
        if config.route == "features":
            self.tower.visual = None
            width = prompts.shape[1]
            self.entries = nn.ModuleDict(
                {view: _entry(info.width(view), width, config.dropout) for view in config.features}
            )
        else:
            self.tower.visual.requires_grad_(config.train_vision_tower)
        levels = len(config.prompts)
        self.head = mlp((levels, 4 * levels, 1), config.dropout)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), class logits (B, K) and video vector (B, D)."""
        video = self._features(batch) if self.config.route == "features" else self._frames(batch)
        cosine = normalize(video, dim=1) @ normalize(self._prompts(), dim=1).T
        class_logits = self.tower.logit_scale.exp() * cosine
        return Outputs(self.head(class_logits).squeeze(1), class_logits, embedding=video)

    def train(self, mode: bool = True) -> Self:
        """Sets the mode; a tower that is not trained stays in evaluation, statistics and all."""
        super().train(mode)
        if self.tower.visual is not None and not self.config.train_vision_tower:
            self.tower.visual.eval()
        return self

    def notes(self) -> tuple[str, ...]:
        """Where the weights come from."""
        tower = self.config.tower or "small CLIP"
        return (f"teacher tower: {tower}, {self.config.weights or 'random weights'}",)

    def _frames(self, batch: Batch) -> Tensor:
        if batch.frames is None:
            raise ValueError("the frames route needs frames, and the batch has none")
        clips, steps = batch.frames.mask.shape
        vectors = self.tower.image_vectors(batch.frames.values.flatten(0, 1))
        return _masked_mean(vectors.view(clips, steps, -1), batch.frames.mask)

    def _features(self, batch: Batch) -> Tensor:
        vectors = []
        for view, entry in self.entries.items():
            sequence = getattr(batch, view)
            vectors.append(_masked_mean(entry(sequence.values), sequence.mask))
        return torch.stack(vectors).mean(0)

    def _prompts(self) -> Tensor:
        return (
            self.tower.text_vectors(self.prompt_tokens) if self.config.train_text_tower else self.prompts
        )


def _tower(config: ClipVideoConfig) -> ClipTower:
    if config.tower is not None:
        return named_tower(config.tower, config.weights)
    return small_tower(
        SmallTower(
            config.image_size,
            config.patch,
            config.width,
            config.layers,
            config.heads,
            config.joint_width,
            config.text_layers,
            config.context,
        )
    )


def _entry(width_in: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Dropout(dropout), mlp((width_in, width, width), dropout))


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    weight = mask.unsqueeze(2).to(values.dtype)
    return (values * weight).sum(1) / weight.sum(1).clamp(min=1)
