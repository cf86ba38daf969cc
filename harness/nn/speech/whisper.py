"""Speech recognition by Whisper through transformers, from this machine's disk alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.nn.speech.greedy import Prompt, prompt_of, write
from harness.nn.speech.local import from_folder, local_config, unreadable
from harness.spec import BadInput, nearest

_END, _START, _ENGLISH, _TRANSCRIBE, _UNTIMED = 50257, 50258, 50259, 50359, 50363
"""Ids of the multilingual vocabulary: the end of a text, and the four that stand before one."""


@dataclass(frozen=True)
class WhisperSizes:
    """Layers of encoder and of decoder, width and heads; the rest is the same at every size."""

    layers: int
    width: int
    heads: int


PUBLISHED: Mapping[str, WhisperSizes] = MappingProxyType(
    {
        "whisper-tiny": WhisperSizes(4, 384, 6),
        "whisper-base": WhisperSizes(6, 512, 8),
        "whisper-small": WhisperSizes(12, 768, 12),
        "whisper-medium": WhisperSizes(24, 1024, 16),
    }
)
"""Table 1 of Radford et al. 2022, arXiv 2212.04356."""


class Recogniser:
    """Whisper with a greedy decoder (Radford et al. 2022, arXiv 2212.04356).

    A sound is heard in windows of 30 s, the last one filled up with silence; a longer one is cut there,
    without the timestamps by which Whisper itself finds where to cut. Sounds are heard one by one.

    Attributes:
        network: encoder and decoder, in eval mode.
        rate: samples a second that it hears.
        is_random: its weights are random, so that what it writes is no text.
    """

    rate = 16000

    def __init__(
        self, network: Any, features: Any, tokenizer: Any | None, prompt: Prompt, name: str
    ) -> None:
        self.network: nn.Module = network.eval().requires_grad_(False)
        self.is_random = tokenizer is None
        self._whisper, self._features, self._tokenizer = network, features, tokenizer
        self._prompt, self._name = prompt, name

    def notes(self) -> tuple[str, ...]:
        """Which Whisper it is, whose weights it has, and when it stops."""
        if self.is_random:
            until = "random weights, as many tokens as are asked for"
        else:
            until = "its own weights, until the end of the text"
        return (f"speech recognition: {self._name}, {until}, greedy, windows of 30 s",)

    @torch.inference_mode()
    def transcribe(
        self, sounds: Sequence[NDArray[np.float32]], tokens: Sequence[int]
    ) -> tuple[str, ...]:
        """What is said in each of the sounds (S,); with random weights, token ids with spaces between.

        Args:
            sounds: mono, in [-1, 1], `rate` samples a second.
            tokens: how many tokens a network of random weights writes for each sound, spread over its
                windows: it would not stop by itself. In a window there is room for 444. Not read where
                weights are not random.
        """
        return tuple(self._one(*one) for one in zip(sounds, tokens, strict=True))

    def _one(self, sound: NDArray[np.float32], tokens: int) -> str:
        size = self._features.n_samples
        count = max(1, ceil(len(sound) / size))
        windows = (sound[size * place : size * (place + 1)] for place in range(count))
        shares = (tokens // count + (place < tokens % count) for place in range(count))
        said = (self._window(*one) for one in zip(windows, shares, strict=True))
        return " ".join(text for text in said if text)

    def _window(self, sound: NDArray[np.float32], tokens: int) -> str:
        found = self._features(sound, sampling_rate=self.rate, return_tensors="pt")
        device, dtype = self._whisper.device, self._whisper.dtype
        heard = self._whisper.model.encoder(found.input_features.to(device, dtype)).last_hidden_state
        if self._tokenizer is None:
            return " ".join(map(str, write(self._whisper, heard, self._prompt, tokens)))
        ids = write(self._whisper, heard, self._prompt)
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()


def recogniser(name: str, sizes: Mapping[str, WhisperSizes] = PUBLISHED) -> Recogniser:
    """Whisper of a published size with random weights, or of a local folder with its own.

    Random weights are drawn from a fixed seed, the same in every process; the random stream of the
    caller does not move.

    Args:
        name: one of `sizes`, or a folder as transformers saves model, feature extractor and tokenizer.
        sizes: those that there are by name.

    Raises:
        BadInput: under asr; there is none of that name, or the folder is not whole.
    """
    check_recogniser(name, sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _fresh(name, sizes[name]) if name in sizes else _saved(name)


def check_recogniser(name: str, sizes: Mapping[str, WhisperSizes] = PUBLISHED) -> None:
    """Whether there is a recogniser of that name; no weights are read.

    Raises:
        BadInput: as `recogniser`, as far as it can be told without the weights.
    """
    if name in sizes:
        return
    if not Path(name).is_dir():
        raise BadInput(
            f"expected a size of Whisper or a local folder, given '{name}'; {nearest(name, sizes)}",
            key="asr",
        )
    local_config(name, "whisper", key="asr")


def transcript_tokens(text: str) -> int:
    """How many tokens a recogniser writes for a transcript, where there is no tokenizer to ask.

    A token for every four bytes of UTF-8, rounded up, and one for the end: a rule of thumb for English
    (a word of four letters and its space are about one and a quarter).
    """
    return ceil(len(text.encode()) / 4) + 1


def _fresh(name: str, sizes: WhisperSizes) -> Recogniser:
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    ids = {
        "bos_token_id": _END,
        "eos_token_id": _END,
        "pad_token_id": _END,
        "decoder_start_token_id": _START,
    }
    both = {"layers": sizes.layers, "attention_heads": sizes.heads, "ffn_dim": 4 * sizes.width}
    parts = {f"{part}_{key}": value for part in ("encoder", "decoder") for key, value in both.items()}
    network = WhisperForConditionalGeneration(WhisperConfig(d_model=sizes.width, **parts, **ids))
    # As a published checkpoint has it, so that as many tokens stand before the text.
    start = (_START, _ENGLISH, _TRANSCRIBE, _UNTIMED)
    prompt = Prompt(start, ends=(_END,), room=network.config.max_target_positions)
    return Recogniser(network, WhisperFeatureExtractor(), None, prompt, name)


def _saved(folder: str) -> Recogniser:
    from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

    network = from_folder(WhisperForConditionalGeneration, folder, key="asr")
    try:
        features = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise unreadable(folder, error, "asr") from error
    return Recogniser(network, features, tokenizer, prompt_of(network), folder)
