"""CLIP towers through open_clip, by architecture name or small from sizes; imported nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import interpolate

from harness.spec import BadInput, nearest

if TYPE_CHECKING:
    from collections.abc import Callable


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
        images = pixels.to(self.pixel_mean.dtype) / 255
        if tuple(images.shape[-2:]) != self.image_size:
            images = interpolate(images, self.image_size, mode="bicubic", antialias=True).clamp(0, 1)
        return self.visual((images - self.pixel_mean) / self.pixel_std)

    def tokens(self, sentences: Sequence[str]) -> Tensor:
        """(n, context) token ids."""
        return self._tokenizer(list(sentences))

    def text_vectors(self, tokens: Tensor) -> Tensor:
        """(n, D) vectors of token ids (n, context); not normalised."""
        return self.text(tokens)


def check_tower(name: str, weights: str | None) -> None:
    """Asks open_clip for the architecture, and it or the disk for the weights.

    Raises:
        BadInput: no such architecture, tag or file; the nearest names are given.
    """
    import open_clip

    known = open_clip.list_models()
    if name not in known:
        raise BadInput(f"open_clip has no architecture '{name}'; {nearest(name, known)}", key="tower")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if weights is not None and weights not in tags and not Path(weights).is_file():
        raise BadInput(
            f"'{weights}' is neither a file nor a pretrained tag of {name}; {nearest(weights, tags)}",
            key="weights",
        )


def named_tower(name: str, weights: str | None) -> ClipTower:
    """An open_clip architecture, with the weights of a tag, of a local checkpoint, or random ones.

    Raises:
        BadInput: no such architecture (the nearest are named), or its parts cannot be had.
    """
    import open_clip

    check_tower(name, weights)
    try:
        clip = open_clip.create_model(name, pretrained=weights, force_custom_text=True)
        tokenizer = open_clip.get_tokenizer(name)
    except (EOFError, OSError, RuntimeError, SafetensorError, UnpicklingError) as error:
        reason = next(iter(str(error).splitlines()), "it is empty")
        what = f"the weights '{weights}' of {name}" if weights else name
        key = "weights" if weights else "tower"
        raise BadInput(f"{what} cannot be loaded: {reason}", key=key) from error
    if isinstance(clip, open_clip.CoCa):
        raise BadInput(f"'{name}' writes captions; its towers give no single vector", key="tower")
    return ClipTower(clip, tokenizer)


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
