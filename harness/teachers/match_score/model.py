"""The teacher of retrieval: which class a clip is of, and how well two clips match."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from harness.nn.clip.frozen import frozen_hash
from harness.nn.clip.layers import train_last
from harness.nn.clip.tower import ClipTower
from harness.registry import TEACHERS
from harness.spec import ChoiceSpace, FloatSpace, View
from harness.teachers.match_score.config import MatchScoreConfig
from harness.teachers.match_score.says import ClassPrompts, MatchHead, learned_prompts
from harness.teachers.match_score.sight import MASK, VECTORS, Sights
from harness.types import Batch, DataInfo, Outputs


@TEACHERS.register(
    "match_score",
    config=MatchScoreConfig,
    paper="VideoAdviser, arXiv 2309.15494 (our reading); CLIP, arXiv 2103.00020",
    tiny={"joint_width": 16, "width": 16, "layers": 1, "heads": 2, "image_size": 16},
    space={
        # A named tower has its width.
        "joint_width": ChoiceSpace(choices=(32, 64, 128), when={"tower": None}),
        "tower_rate": FloatSpace(low=0.01, high=1, log=True),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class MatchScore(nn.Module):
    """Class logits of a clip against a prompt a class, and scores of how well pairs of clips match.

    What a clip is seen as becomes one vector e. Class logits are exp(scale) cos(e, prompts); the match
    score of a pair is m_ij = sigmoid(scale' cos(h(e_i), h(e_j)) + bias), given as factors a clip. It
    compares clips as a whole, so that sound to pictures and pictures to sound have one score.
    """

    def __init__(self, config: MatchScoreConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.tower: ClipTower | None = None
        self.classes, width = self._prompted(info)
        self.sights = Sights(config, info, width)
        self.match = MatchHead(width, config.dropout)
        self._still: list[nn.Module] = (
            train_last(self.tower.visual, config.vision_layers_trained, "vision_layers_trained")
            if self.tower is not None
            else []
        )
        self.train()

    def forward(self, batch: Batch) -> Outputs:
        """Class logits (B, K), clip vector (B, D) and match factors (B, D + 1)."""
        clip = self.sights(batch, self.tower)
        return Outputs(class_logits=self.classes(clip), embedding=clip, match=self.match(clip))

    def train(self, mode: bool = True) -> Self:
        """Sets the mode; what is not trained stays in evaluation, statistics and all."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    def rate_scale(self, name: str) -> float:
        """`tower_rate` for the tower, 1 for all that is fresh."""
        return self.config.tower_rate if name.startswith("tower.") else 1.0

    def frozen_identity(self) -> str | None:
        """A hash of the frozen tower that sees a clip, and of how it is prepared for it."""
        tower = self.tower
        if tower is None or not self.config.frames_are_fixed:
            return None
        statistics = torch.cat((tower.pixel_mean, tower.pixel_std)).flatten().tolist()
        settings = {"image_size": tower.image_size, "frames_used": self.config.frames_used}
        return frozen_hash({"visual": tower.visual}, {**settings, "pixel_statistics": statistics})

    @torch.no_grad()
    def precompute(self, batch: Batch) -> dict[str, Tensor]:
        """Of a frozen tower ``frame_vectors`` (B, T, D) and ``frame_mask``."""
        if self.tower is None or not self.config.frames_are_fixed:
            return {}
        found = self.sights.frames(batch, self.tower)
        return {VECTORS: found.values, MASK: found.mask}

    def replaced_views(self) -> frozenset[View]:
        """Frames, where a frozen tower sees them."""
        return frozenset({"frames"}) if self.config.frames_are_fixed else frozenset()

    def notes(self) -> tuple[str, ...]:
        """What is seen, what the classes are compared as, and where a tower's weights come from."""
        config = self.config
        said = [f"teacher sees {', '.join(config.sees)}", f"teacher prompts: {config.prompts}"]
        if config.uses_tower:
            said.append(
                f"teacher tower: {config.tower or 'small CLIP'}, {config.weights or 'random weights'}"
            )
        return tuple(said)

    def _prompted(self, info: DataInfo) -> tuple[ClassPrompts, int]:
        """The prompts and their width; keeps of the tower what sees frames, if they are seen."""
        config = self.config
        if not config.uses_tower:
            return learned_prompts(len(info.classes), config.joint_width), config.joint_width
        tower = config.build_tower()
        with torch.no_grad():
            vectors = tower.eval().text_vectors(tower.tokens(config.sentences(info)))
        width, log_scale = vectors.shape[1], tower.logit_scale
        # What nothing asks again goes: the text tower, and the temperature, which the prompts have.
        tower.text = None
        del tower.logit_scale
        self.tower = tower if config.sees_frames else None
        if config.prompts == "learned":
            return learned_prompts(len(vectors), width), width
        return ClassPrompts(vectors, log_scale, is_learned=False), width
