"""Which CLIP weights there are on this machine, and why a file does not fit; nothing is downloaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.spec import BadInput, nearest


@dataclass(frozen=True)
class WeightsFile:
    """A checkpoint on disk, and the pixel statistics that its pretrained tag brings."""

    path: str
    preprocess: dict[str, Any] = field(default_factory=dict)


@contextmanager
def offline() -> Iterator[None]:
    """Keeps the hub's client, and what is built on it, to its local cache inside the with-block."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def check_tower(name: str) -> dict[str, Any]:
    """The configuration that open_clip has of an architecture.

    Raises:
        BadInput: no such architecture (the nearest are named), or its words are on the network alone.
    """
    import open_clip

    known = open_clip.list_models()
    if name not in known:
        raise BadInput(f"open_clip has no architecture '{name}'; {nearest(name, known)}", key="tower")
    found: dict[str, Any] = open_clip.get_model_config(name)
    if "siglip" in name.lower() and not found["text_cfg"].get("hf_tokenizer_name"):
        raise BadInput(f"the vocabulary of '{name}' would have to be downloaded", key="tower")
    return found


def find_weights(name: str, weights: str) -> WeightsFile:
    """The checkpoint file, or the file of a pretrained tag of `name` in the local hub cache.

    Raises:
        BadInput: neither a file nor a tag of `name` (the nearest are named), a tag whose file is not
            in the cache, or a tag that was trained with another activation than `name` has.
    """
    import open_clip

    if Path(weights).is_file():
        return WeightsFile(weights)
    tag = open_clip.get_pretrained_cfg(name, weights)
    if not tag:
        hint = nearest(weights, open_clip.list_pretrained_tags_by_model(name))
        raise BadInput(
            f"'{weights}' is neither a file nor a pretrained tag of {name}; {hint}", key="weights"
        )
    _check_activation(name, weights, tag)
    try:
        # Without an entry on the hub open_clip would turn to another server.
        with offline():
            path = open_clip.download_pretrained(tag) if tag.get("hf_hub") else None
    except OSError:
        path = None
    if not path:
        raise BadInput(
            f"the weights '{weights}' of {name} are not in the local hub cache, and nothing is "
            f"downloaded: bring {tag.get('hf_hub') or tag.get('url')} there, or name a local file",
            key="weights",
        )
    look = {part: tag[part] for part in ("mean", "std") if part in tag}
    return WeightsFile(str(path), look)


def _check_activation(name: str, weights: str, tag: dict[str, Any]) -> None:
    import open_clip

    # open_clip warns only, and the vectors would be others than those of the pretrained model.
    if tag.get("quick_gelu") and not open_clip.get_model_config(name).get("quick_gelu"):
        raise BadInput(
            f"the weights '{weights}' were trained with quick GELU and {name} has GELU; their "
            f"architecture is '{name}-quickgelu'",
            key="tower",
        )


def misfit(error: Exception) -> str:
    """Why weights do not load, in a line: the first tensor that does not fit, if it is about tensors."""
    told = " ".join(str(error).split())
    shape = re.search(r"size mismatch for (\S+): .*?Size\((.*?)\).*?Size\((.*?)\)", told)
    if shape:
        name, given, expected = shape.groups()
        return f"the tensor '{name}' is {given} there and {expected} in this architecture"
    missing = re.search(r'Missing key\(s\) in state_dict: "(.*?)"', told)
    if missing:
        return f"the tensor '{missing[1]}' is not there"
    left = re.search(r'Unexpected key\(s\) in state_dict: "(.*?)"', told)
    if left:
        return f"the tensor '{left[1]}' has no place in this architecture"
    return next(iter(str(error).splitlines()), "it is empty")
