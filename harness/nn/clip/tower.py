"""CLIP towers through open_clip, by architecture name or small from sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import interpolate

from harness.nn.clip.weights import WeightsFile, check_tower, find_weights, misfit, offline
from harness.spec import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.nn.clip.cross_frame import CrossFrame


@dataclass(frozen=True)
class SmallTower:
    """Sizes of a CLIP that is initialised, not loaded; the text tower is as wide as the joint space."""

    image_size: int
    patch: int
    width: int
    layers: int
    heads: int
    joint_width: int
    text_layers: int
    context: int


class ClipTower(nn.Module):
    """The towers of a CLIP (Radford et al. 2021, arXiv 2103.00020) and its pixel statistics.

    Args:
        clip: an open_clip model with its text tower apart (``CustomTextCLIP``).
        tokenizer: its tokenizer, from strings to (n, context) token ids.

    Attributes:
        visual, text: the towers; one that nothing will read again may be set to None.
        logit_scale: the learned log of the inverse temperature.
    """

    def __init__(self, clip: Any, tokenizer: Callable[[list[str]], Tensor]) -> None:
        super().__init__()
        self.visual: Any = clip.visual
        self.text: Any = clip.text
        self.logit_scale: nn.Parameter = clip.logit_scale
        self._tokenizer = tokenizer
        size = clip.visual.image_size
        self.image_size: tuple[int, int] = (size, size) if isinstance(size, int) else tuple(size)
        mean, std = _pixel_statistics(clip)
        self.register_buffer("pixel_mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def image_vectors(self, pixels: Tensor) -> Tensor:
        """(n, D) vectors of uint8 pixels (n, 3, H, W), resized to the tower's size; not normalised."""
        return self.visual(self._images(pixels))

    def image_parts(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors (n, D) and the last layer's patch tokens (n, N, d), before the final norm."""
        found = self.visual.forward_intermediates(self._images(pixels), indices=1)
        return found["image_features"], found["image_intermediates"][-1].flatten(2).transpose(1, 2)

    def communicating_parts(
        self, pixels: Tensor, mask: Tensor, cross_frame: CrossFrame
    ) -> tuple[Tensor, Tensor]:
        """The same of frames that hear of each other; pixels (n, 3, H, W) are those of a mask (B, T)."""
        visual = self.visual
        tokens = visual._embeds(self._images(pixels))
        tokens = cross_frame(tokens, visual.transformer.resblocks, mask)
        pooled, _ = visual._pool(tokens)
        return pooled @ visual.proj, tokens[:, 1:]

    def message_sizes(self) -> tuple[int, int]:
        """The width d and the number of blocks, for cross-frame communication.

        Raises:
            BadInput: the vision tower is no ViT with a class token whose blocks can be reached.
        """
        if not (hasattr(self.visual, "class_embedding") and hasattr(self.visual, "_embeds")):
            raise no_messages(type(self.visual).__name__)
        return self.visual.transformer.width, len(self.visual.transformer.resblocks)

    @torch.no_grad()
    def patch_sizes(self) -> tuple[int, int]:
        """N and d of the patch tokens, found on an empty picture.

        Raises:
            BadInput: the vision tower does not give its patch tokens.
        """
        inner = getattr(self.visual, "trunk", self.visual)
        if not hasattr(inner, "forward_intermediates"):
            raise BadInput(
                f"the vision tower {type(inner).__name__} does not give its patch tokens, which "
                "video-enhanced prompts look at; set enhanced_prompts: false",
                key="enhanced_prompts",
            )
        mode = self.visual.training
        _, patches = self.eval().image_parts(torch.zeros(1, 3, *self.image_size, dtype=torch.uint8))
        self.train(mode)
        return patches.shape[1], patches.shape[2]

    def tokens(self, sentences: Sequence[str]) -> Tensor:
        """(n, context) token ids."""
        return self._tokenizer(list(sentences))

    def text_vectors(self, tokens: Tensor) -> Tensor:
        """(n, D) vectors of token ids (n, context); not normalised."""
        return self.text(tokens)

    def _images(self, pixels: Tensor) -> Tensor:
        images = pixels.to(self.pixel_mean.dtype) / 255
        if tuple(images.shape[-2:]) != self.image_size:
            images = interpolate(images, self.image_size, mode="bicubic", antialias=True).clamp(0, 1)
        return (images - self.pixel_mean) / self.pixel_std


def no_messages(tower: str) -> BadInput:
    """That a tower cannot have cross-frame communication, and what to do."""
    return BadInput(
        f"cross-frame communication needs a ViT with a class token, whose blocks can be reached; "
        f"{tower} is none; set cross_frame: false",
        key="cross_frame",
    )


def named_tower(name: str, weights: str | None) -> ClipTower:
    """An open_clip architecture, with the weights of a tag, of a local checkpoint, or random ones.

    Raises:
        BadInput: no such architecture (the nearest are named), or its parts cannot be had here.
    """
    import open_clip

    check_tower(name)
    file = find_weights(name, weights) if weights else None
    with offline():
        tokenizer = _named_tokenizer(name)
        clip = _named_clip(name, weights, file)
    if isinstance(clip, open_clip.CoCa):
        raise BadInput(f"'{name}' writes captions; its towers give no single vector", key="tower")
    return ClipTower(clip, tokenizer)


@cache
def check_weights(name: str, weights: str) -> None:
    """Loads the towers, once a process, because only that shows whether the weights are theirs.

    Raises:
        BadInput: as `named_tower`; a checkpoint of another architecture is told by its first tensor.
    """
    named_tower(name, weights)


def _named_tokenizer(name: str) -> Any:
    import open_clip

    try:
        return open_clip.get_tokenizer(name)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise BadInput(f"the words of {name} cannot be loaded: {misfit(error)}", key="tower") from error


def _named_clip(name: str, weights: str | None, file: WeightsFile | None) -> Any:
    import open_clip

    # What open_clip, PyTorch and safetensors raise for files that are no weights or not of this tower.
    faults = (
        AssertionError, AttributeError, EOFError, KeyError, OSError, RuntimeError, SafetensorError,
        StopIteration, TypeError, UnpicklingError, ValueError,
    )  # fmt: skip
    try:
        return open_clip.create_model(
            name,
            pretrained=file.path if file else None,
            force_preprocess_cfg=file.preprocess if file else None,
            force_custom_text=True,
            pretrained_text=False,  # else a fresh text tower would bring weights of its own
        )
    except faults as error:
        what = f"the weights '{weights}' of {name}" if weights else name
        key = "weights" if weights else "tower"
        raise BadInput(f"{what} cannot be loaded: {misfit(error)}", key=key) from error


def small_tower(sizes: SmallTower) -> ClipTower:
    """A freshly initialised CLIP of the given sizes, with CLIP's own text vocabulary."""
    import open_clip

    clip = open_clip.CustomTextCLIP(
        sizes.joint_width,
        {
            "image_size": sizes.image_size,
            "patch_size": sizes.patch,
            "width": sizes.width,
            "layers": sizes.layers,
            "head_width": sizes.width // sizes.heads,
        },
        {
            "context_length": sizes.context,
            "width": sizes.joint_width,
            "heads": sizes.heads,
            "layers": sizes.text_layers,
        },
    )
    return ClipTower(clip, _tokenizer(sizes.context))


@cache
def _tokenizer(context: int) -> Callable[[list[str]], Tensor]:
    """CLIP's own tokenizer; reading its merges takes longer than building a small tower."""
    import open_clip

    return open_clip.SimpleTokenizer(context_length=context)


def _pixel_statistics(clip: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    found = getattr(clip.visual, "preprocess_cfg", {})
    return (
        tuple(found.get("mean", OPENAI_DATASET_MEAN)),
        tuple(found.get("std", OPENAI_DATASET_STD)),
    )
