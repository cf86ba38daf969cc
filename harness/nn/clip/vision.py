"""The vision tower of a CLIP alone, for those who read its image vectors and no words."""

from __future__ import annotations

from typing import Any

import torch

from harness.nn.clip.tower import ClipTower, named_tower
from harness.nn.clip.weights import check_tower, offline
from harness.spec import BadInput

_NO_WORDS = {"context_length": 8, "vocab_size": 8, "width": 8, "heads": 1, "layers": 1}


def vision_tower(name: str, weights: str | None) -> ClipTower:
    """The vision tower of an open_clip architecture in eval mode; its text tower is None.

    Args:
        name: as open_clip calls it.
        weights: a tag in the local hub cache, or a file; None = random ones from a fixed seed, the same
            in every process. The random stream of the caller does not move.

    Raises:
        BadInput: under tower or weights; there is none of that name, or the weights are not there.
    """
    _sizes(name)
    with torch.random.fork_rng(devices=[]):
        # A tower is drawn before it is loaded, too.
        torch.manual_seed(0)
        tower = _random_tower(name) if weights is None else named_tower(name, weights)
    tower.text = None
    return tower.eval().requires_grad_(False)


def image_width(name: str) -> int:
    """D of the image vectors of an open_clip architecture.

    Raises:
        BadInput: under tower; there is none of that name.
    """
    width: int = _sizes(name)["embed_dim"]
    return width


def _sizes(name: str) -> dict[str, Any]:
    found = check_tower(name)
    if "multimodal_cfg" in found:
        raise BadInput(f"'{name}' writes captions; its towers give no single vector", key="tower")
    return found


def _random_tower(name: str) -> ClipTower:
    import open_clip

    sizes = _sizes(name)
    vision = {**sizes["vision_cfg"], "timm_model_pretrained": False}
    with offline():
        # The text tower is as small as can be: drawing its weights would take longer than looking does.
        clip = open_clip.CustomTextCLIP(
            sizes["embed_dim"], vision, _NO_WORDS, quick_gelu=sizes.get("quick_gelu", False)
        )
    return ClipTower(clip, _no_tokenizer)


def _no_tokenizer(_: list[str]) -> torch.Tensor:
    raise TypeError("a vision tower reads no words")
