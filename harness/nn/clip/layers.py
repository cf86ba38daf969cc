"""The layers of a CLIP tower, and which of them are trained."""

from __future__ import annotations

from typing import Any

from torch import nn

from harness.spec import BadInput


def layers_of(part: Any) -> tuple[list[nn.Module], list[Any]] | None:
    """A tower's blocks from first to last, and the modules and parameters that follow them.

    None for a tower without a plain stack of blocks.
    """
    if hasattr(part, "transformer") and hasattr(part.transformer, "resblocks"):
        names = ("attn_pool", "attn_pool_contrastive", "ln_post", "proj", "ln_final", "text_projection")
        return list(part.transformer.resblocks), _there(part, names)
    if hasattr(part, "attnpool"):
        return [part.layer1, part.layer2, part.layer3, part.layer4], [part.attnpool]
    trunk = getattr(part, "trunk", None)
    if trunk is not None and hasattr(trunk, "blocks") and hasattr(trunk, "norm"):
        return list(trunk.blocks), [part.head, *_there(trunk, ("norm", "attn_pool", "fc_norm", "head"))]
    return None


def train_last(part: nn.Module, count: int | None, key: str) -> list[nn.Module]:
    """Freezes a tower but its last `count` blocks and what follows them.

    Args:
        part: a vision or text tower.
        count: None trains the whole tower, 0 none of it.
        key: the parameter that the count was given as.

    Returns:
        The modules that no longer change, which belong into evaluation mode.

    Raises:
        BadInput: the tower has fewer blocks, or they cannot be told apart.
    """
    if count is None:
        return []
    part.requires_grad_(requires_grad=False)
    if count == 0:
        return [part]
    found = layers_of(part)
    if found is None:
        raise BadInput(
            f"the layers of a {type(part).__name__} cannot be told apart; 0 trains none and null all, "
            f"given {count}",
            key=key,
        )
    blocks, following = found
    if count > len(blocks):
        raise BadInput(f"expected at most the tower's {len(blocks)} layers, given {count}", key=key)
    for trained in (*blocks[-count:], *following):
        trained.requires_grad_(requires_grad=True)
    return [module for module in part.modules() if _is_still(module)]


def _there(part: Any, names: tuple[str, ...]) -> list[Any]:
    found = (getattr(part, name, None) for name in names)
    return [each for each in found if each is not None]


def _is_still(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)
