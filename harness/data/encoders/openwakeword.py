"""The speech embedding that openWakeWord ships, run on any sound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.encoders.contract import RATE, Sound
from harness.data.parts.hashing import file_hash
from harness.nn.extras import find_extra

WIDTH = 96
"""D of an embedding."""

_FRAMES, _STEP, _BANDS = 76, 8, 32
"""Of mel frames of 10 ms: those of one embedding, those from one to the next; their bands."""

WINDOW = 512 + 160 * (_FRAMES - 1)
"""Samples that one embedding hears."""

_SHORTEST = RATE
"""Samples: a sound below a second is heard with silence after it, as an embedding spans 0.76 s."""


class OpenWakeWord:
    """Mean and sd over time of the 96-d embeddings of openWakeWord 0.4.0 (ONNX), every 80 ms.

    The network is Google's speech_embedding, as that package describes it; it was trained on speech.
    """

    def identity(self) -> str:
        """The version of the package, that of the runtime and the hashes of both networks."""
        self._check_runtime()
        hashes = ", ".join(file_hash(self._network(name))[:16] for name in _NETWORKS)
        runtime = f"onnxruntime {version('onnxruntime')}"
        return f"openwakeword {version('openwakeword')} ({hashes}; {runtime}), mean and sd"

    def encode(self, sounds: Sequence[Sound]) -> Tensor:
        """(N, 192): 96 means, 96 sds."""
        return torch.from_numpy(np.stack([self._statistics(sound) for sound in sounds]))

    def load(self) -> None:
        """Reads the networks, which is else done by the first sound.

        Raises:
            BadInput: a package is not installed; the extra is named.
        """
        _ = self._sessions

    def steps(self, sound: Sound) -> NDArray[np.float32]:
        """(T, 96) of samples (S,), S at least `WINDOW`: an embedding every 80 ms."""
        return self._embeddings(self._mel(sound))

    def _statistics(self, sound: Sound) -> NDArray[np.float32]:
        whole = np.pad(sound, (0, max(0, _SHORTEST - len(sound))))
        steps = self.steps(whole)
        return np.concatenate([steps.mean(0), steps.std(0)]).astype(np.float32)

    def _mel(self, sound: Sound) -> NDArray[np.float32]:
        """(T, 32) as the second network wants them: the first one hears 16-bit integers."""
        integers = np.clip(np.round(sound * 32767), -32768, 32767).astype(np.float32)
        found = self._sessions[0].run(None, {"input": integers[None]})[0].reshape(-1, _BANDS)
        # The package's own correction towards the spectra that the embedding was trained on.
        return (found / 10 + 2).astype(np.float32)

    def _embeddings(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """(T', 96) embeddings of windows of 76 frames."""
        views = np.lib.stride_tricks.sliding_window_view(mel, _FRAMES, axis=0)[::_STEP]
        windows = np.ascontiguousarray(views.transpose(0, 2, 1))[..., None]
        found: NDArray[np.float32] = self._sessions[1].run(None, {"input_1": windows})[0]
        return found.reshape(-1, WIDTH)

    @cached_property
    def _sessions(self) -> tuple[Any, ...]:
        self._check_runtime()
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        # One thread: sums in another order have other last digits.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return tuple(
            InferenceSession(str(self._network(name)), options, providers=["CPUExecutionProvider"])
            for name in _NETWORKS
        )

    def _check_runtime(self) -> None:
        find_extra("onnxruntime", extra="encoders", key="audio")

    def _network(self, name: str) -> Path:
        # Its files are read where they lie: importing the package would load its wake words too.
        found = find_extra("openwakeword", extra="encoders", key="audio")
        return Path(str(found.origin)).parent / "resources" / "models" / name


_NETWORKS = ("melspectrogram.onnx", "embedding_model.onnx")
