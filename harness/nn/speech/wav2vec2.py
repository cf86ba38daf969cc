"""wav2vec 2.0 through transformers, from this machine's disk alone: speech as steps of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import remove_parametrizations

from harness.nn.speech.local import from_folder, local_config
from harness.spec import BadInput

if TYPE_CHECKING:
    from transformers import Wav2Vec2Config

RATE = 16000
"""Samples a second that it hears."""


class Wav2Vec2(nn.Module):
    """The last hidden states of wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477).

    The convolution of positions holds its weight as such, not as norm and direction: these would be
    multiplied anew at every call.

    Args:
        weights: a local folder as transformers saves it; None = the base size, with random weights from
            a fixed seed, the same in every process. The random stream of the caller does not move.

    Raises:
        BadInput: under weights; the folder is not there, not whole, or of another kind.
    """

    def __init__(self, weights: str | None) -> None:
        super().__init__()
        config = _config(weights)
        self.width: int = config.hidden_size
        self.window, self.hop = _spans(config)
        self.is_normalised = _is_normalised(weights)
        self.encoder = _encoder(config, weights)
        self.eval().requires_grad_(False)

    def forward(self, sound: Tensor) -> Tensor:
        """(T, D) of samples (S,), a step each `hop` of them; S is `window` at least."""
        if self.is_normalised:
            # The constant is that of transformers' own extractor.
            sound = (sound - sound.mean()) / (sound.var(correction=0) + 1e-7).sqrt()
        states: Tensor = self.encoder(sound[None]).last_hidden_state[0]
        return states


def check_wav2vec2(weights: str | None) -> int:
    """D of what `Wav2Vec2` gives; no weights are read.

    Raises:
        BadInput: as `Wav2Vec2`, as far as it can be told without the weights.
    """
    width: int = _config(weights).hidden_size
    return width


def _config(weights: str | None) -> Wav2Vec2Config:
    from transformers import Wav2Vec2Config

    return Wav2Vec2Config() if weights is None else local_config(weights, "wav2vec2")


def _encoder(config: Wav2Vec2Config, weights: str | None) -> Any:
    from transformers import Wav2Vec2Model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if weights is None:
            encoder = Wav2Vec2Model(config)
        else:
            # What masks steps in training need not be there.
            encoder = from_folder(Wav2Vec2Model, weights, needless=("masked_spec_embed",))
    if getattr(encoder, "adapter", None) is not None:
        raise BadInput(f"'{weights}' has an adapter, whose steps are longer", key="weights")
    remove_parametrizations(encoder.encoder.pos_conv_embed.conv, "weight")
    return encoder


def _spans(config: Wav2Vec2Config) -> tuple[int, int]:
    """Samples that one step hears, and from step to step."""
    window = hop = 1
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        window, hop = window + (kernel - 1) * hop, hop * stride
    return window, hop


def _is_normalised(weights: str | None) -> bool:
    """Whether each sound is brought to mean 0 and variance 1, as the base size wants it."""
    if weights is None:
        return True
    from transformers import Wav2Vec2FeatureExtractor

    try:
        found = Wav2Vec2FeatureExtractor.from_pretrained(weights, local_files_only=True)
    except (OSError, ValueError):
        raise BadInput(
            f"'{weights}' has no preprocessor_config.json, which says whether sounds are normalised",
            key="weights",
        ) from None
    return bool(found.do_normalize)
