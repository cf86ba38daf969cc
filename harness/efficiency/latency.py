"""Model-only latency: how long one forward pass takes from tensors that are ready.

Every sample is one call. The clock itself costs well under a microsecond, so for calls near that
size the samples say more about the clock than about the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np
import torch
from torch import nn

from harness.efficiency.turns import no_garbage_collection
from harness.spec import Latency

Call = Callable[[], object]

STEADY_WINDOW = 5
"""Warm-up calls in each of the two windows whose medians are compared."""

STEADY_RATIO = 0.9
"""Warm when the later window's median is at least this share of the earlier one's."""


@dataclass(frozen=True)
class Sampling:
    """How long to measure; the defaults keep one measurement under a second.

    The warm-up goes on until two neighbouring windows of calls agree, within its bounds. Samples are
    then taken until there are `min_calls` of them over `min_seconds`, or `max_calls`, or, with one
    sample at least, until `max_seconds` are over.
    """

    max_warmup_calls: int = 50
    max_warmup_seconds: float = 0.25
    min_calls: int = 30
    max_calls: int = 1000
    min_seconds: float = 0.3
    max_seconds: float = 0.7

    def is_warm(self, times_ms: Sequence[float], elapsed: float) -> bool:
        """Whether the warm-up may end after calls of these times."""
        in_bounds = len(times_ms) < self.max_warmup_calls and elapsed < self.max_warmup_seconds
        return not in_bounds or is_steady(times_ms)

    def is_enough(self, samples_ms: Sequence[float], elapsed: float) -> bool:
        """Whether these samples do."""
        count = len(samples_ms)
        return (
            (count >= self.min_calls and elapsed >= self.min_seconds)
            or count >= self.max_calls
            or elapsed >= self.max_seconds
        )


DEFAULT_SAMPLING = Sampling()


def model_latency(
    model: nn.Module,
    batch: Any,
    *,
    device: torch.device | str = "cpu",
    sampling: Sampling = DEFAULT_SAMPLING,
) -> Latency:
    """The latency of ``model(batch)`` in eval mode; `batch` is on `device`. The mode is put back."""
    was_training = model.training
    model.eval()
    try:
        return measure_latency(
            lambda: model(batch), device=device, batch_size=len(batch), sampling=sampling
        )
    finally:
        model.train(was_training)


def measure_latency(
    call: Call,
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 1,
    sampling: Sampling = DEFAULT_SAMPLING,
) -> Latency:
    """Times `call` alone, under inference mode; a model in it must be in eval mode already.

    Warm-up calls are no samples. The garbage collector is off meanwhile.

    Args:
        call: one forward pass, such as ``lambda: model(batch)``.
        device: what the call runs on; an accelerator is synchronised around every call.
        batch_size: clips a call; written to the record, not measured.
        sampling: how long to warm up and to measure.
    """
    target = torch.device(device)
    with torch.inference_mode(), no_garbage_collection():
        warmup = _times_ms(call, target, sampling.is_warm)
        samples = _times_ms(call, target, sampling.is_enough)
    median_ms, p90_ms = summarise(samples)
    return Latency(
        samples_ms=tuple(samples),
        median_ms=median_ms,
        p90_ms=p90_ms,
        batch_size=batch_size,
        warmup_calls=len(warmup),
        # Read back, not as asked for: torch may run with other numbers than it was given.
        intra_threads=torch.get_num_threads(),
        inter_threads=torch.get_num_interop_threads(),
        device=str(target),
    )


def summarise(samples_ms: Sequence[float]) -> tuple[float, float]:
    """The median and the 90th percentile, linear between order statistics, of at least one sample."""
    samples = np.asarray(samples_ms, dtype=np.float64)
    return float(np.median(samples)), float(np.percentile(samples, 90, method="linear"))


def _times_ms(
    call: Call, device: torch.device, is_done: Callable[[Sequence[float], float], bool]
) -> list[float]:
    times: list[float] = []
    started = perf_counter()
    while not times or not is_done(times, perf_counter() - started):
        times.append(_one_call_ms(call, device))
    return times


def is_steady(times: Sequence[float]) -> bool:
    """Whether the last calls are no faster than those before them; times in the order of the calls."""
    if len(times) < 2 * STEADY_WINDOW:
        return False
    before, _ = summarise(times[-2 * STEADY_WINDOW : -STEADY_WINDOW])
    after, _ = summarise(times[-STEADY_WINDOW:])
    return after >= STEADY_RATIO * before


def _one_call_ms(call: Call, device: torch.device) -> float:
    synchronise(device)
    started = perf_counter_ns()
    call()
    synchronise(device)
    return (perf_counter_ns() - started) / 1e6


def synchronise(device: torch.device) -> None:
    """Returns when the device has done what it was told."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
