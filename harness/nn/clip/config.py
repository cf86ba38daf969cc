"""Which CLIP a teacher has, and how much of it is trained."""

from __future__ import annotations

from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harness.nn.clip.tower import ClipTower, SmallTower, check_weights, named_tower, small_tower
from harness.nn.clip.weights import check_tower
from harness.spec import ModelConfig


class TowerConfig(ModelConfig):
    """A named open_clip tower, or a small one of the given sizes."""

    tower: str | None = Field(
        None, description="open_clip architecture; null = small, from the sizes below"
    )
    weights: str | None = Field(
        None, description="pretrained tag in the local cache, or checkpoint file; null = random weights"
    )
    image_size: int = Field(32, ge=8, description="pixels a side of the small tower")
    patch: int = Field(8, ge=2, description="pixels a side of a patch of the small tower")
    width: int = Field(64, ge=8, description="vision width of the small tower")
    layers: int = Field(2, ge=1, description="vision layers of the small tower")
    heads: int = Field(4, ge=1, description="attention heads of the small tower")
    joint_width: int = Field(64, ge=8, description="D of the small tower")
    text_layers: int = Field(1, ge=1, description="text layers of the small tower")
    context: int = Field(16, ge=8, description="tokens of a prompt or transcript in the small tower")
    vision_layers_trained: int | None = Field(
        None, ge=0, description="last layers of the vision tower that train; null = all, 0 = frozen"
    )
    tower_rate: float = Field(
        1.0, gt=0, le=10, description="learning rate of the towers, as a multiple of the trial's"
    )

    @field_validator("vision_layers_trained", "text_layers_trained", check_fields=False)
    @classmethod
    def _no_more_than_there_are(cls, given: int | None, info: ValidationInfo) -> int | None:
        name = "layers" if info.field_name == "vision_layers_trained" else "text_layers"
        there = info.data.get(name)  # None when that size is itself refused
        if info.data.get("tower") is None and given and there and given > there:
            raise ValueError(f"expected at most the tower's {there} layers, given {given}")
        return given

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.width % self.heads or self.joint_width % self.heads:
            raise ValueError(
                f"width and joint_width must be multiples of heads, given {self.heads} heads"
            )
        if self.patch > self.image_size:
            raise ValueError(f"patch: expected at most image_size {self.image_size}, given {self.patch}")
        if self.tower is None and self.weights is not None:
            raise ValueError("weights belong to a named tower; set tower, or leave weights out")
        return self

    def build_tower(self) -> ClipTower:
        """The tower, with its weights."""
        if self.tower is not None:
            return named_tower(self.tower, self.weights)
        return small_tower(
            SmallTower(
                self.image_size,
                self.patch,
                self.width,
                self.layers,
                self.heads,
                self.joint_width,
                self.text_layers,
                self.context,
            )
        )

    def check(self) -> None:
        """Whether open_clip knows the tower, and its weights are here."""
        if self.tower is None:
            return
        check_tower(self.tower)
        if self.weights is not None:
            check_weights(self.tower, self.weights)
