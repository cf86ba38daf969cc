"""Networks of speech in a local folder, as transformers saves them; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from harness.spec import BadInput


def local_config(folder: str, kind: str, *, key: str = "weights") -> Any:
    """The configuration in a folder.

    Raises:
        BadInput: under `key`; no such folder, none in it, or of another kind than `kind`.
    """
    from transformers import AutoConfig

    if not Path(folder).is_dir():
        raise BadInput(
            f"expected a local folder as transformers saves {kind}, given '{folder}'; nothing is "
            "downloaded",
            key=key,
        )
    try:
        found = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise unreadable(folder, error, key) from error
    if found.model_type != kind:
        raise BadInput(f"'{folder}' holds a {found.model_type}, expected a {kind}", key=key)
    return found


def from_folder(
    architecture: Any, folder: str, *, key: str = "weights", needless: tuple[str, ...] = ()
) -> Any:
    """The network in a folder, in float32.

    Args:
        architecture: the class of transformers.
        folder: where it lies.
        key: the parameter that asked for it.
        needless: weights that may be missing.

    Raises:
        BadInput: under `key`; they are not there, not whole, or of other shapes.
    """
    try:
        network, found = architecture.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise unreadable(folder, error, key) from error
    # transformers would go on with random weights in their place.
    missing = sorted(set(found["missing_keys"]) - set(needless))
    if missing:
        raise BadInput(f"'{folder}' has no weights for {missing[0]}", key=key)
    return network


def unreadable(folder: str, error: Exception, key: str) -> BadInput:
    """That what lies in a folder cannot be used, and why."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return BadInput(f"'{folder}' cannot be loaded: {reason}", key=key)
