"""All rows in one process, timed side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from harness.efficiency.latency import is_steady
from harness.efficiency.machine import OthersWatch, machine_state, set_threads
from harness.efficiency.turns import Call, Rounds, Sample, in_rounds, timer_overhead_us, warm_up
from harness.engine.bench.loaded import Loaded, Readings, load
from harness.engine.bench.order import Groups, Order, Together
from harness.spec import SAMPLE_COLUMNS, BenchSettings, Route


def together(order: Order) -> Together:
    """The samples of every row, by each route and with each number of clips a call."""
    threads, _ = set_threads(order.settings.threads)
    shared: Readings = {}
    rows = [load(entrant, order, threads, shared) for entrant in order.entrants]
    readings = [row.reading for row in rows if row.reading is not None]
    decoder = next((note for reading in readings for note in reading.notes), "")
    machine = machine_state(decoder, timer_overhead_us())
    watch = OthersWatch()
    with torch.inference_mode():
        samples = [values for cell in _cells(rows, order) for values in cell]
    machine = machine.model_copy(update={"others_share_meanwhile": watch.share()})
    return Together(machine, pd.DataFrame(samples))


def _cells(rows: list[Loaded], order: Order) -> Iterator[list[dict[str, object]]]:
    settings = order.settings
    draw = np.random.default_rng(order.number)
    warm_ms: dict[str, float] = {}
    for batch in settings.batches:
        groups = order.groups(batch)
        is_warm = False
        for route in settings.routes:
            calls = {row.entrant.name: _call(row, route, groups) for row in rows}
            if not is_warm:
                _warm_up(calls, len(groups), settings, warm_ms)
            # Warm by one route is warm by the other, but for tensors that no call has touched yet.
            is_warm = True
            count = settings.rounds(batch)
            found = in_rounds(
                calls,
                _from(order.number * count, len(groups)),
                Rounds(count, settings.seconds / count, settings.turns),
                draw,
            )
            yield [_values(sample, order.number, route, batch) for sample in found]


def _from(start: int, count: int) -> list[int]:
    """The places of all groups, beginning where another process has left off."""
    return [(start + place) % count for place in range(count)]


def _call(row: Loaded, route: Route, groups: Groups) -> Call:
    return (row.end_to_end if route == "end_to_end" else row.model_only)(groups)


def _warm_up(
    calls: Mapping[str, Call], groups: int, settings: BenchSettings, warm_ms: dict[str, float]
) -> None:
    """Calls each row until it is steady.

    Args:
        calls: by row.
        groups: how many there are to call them on.
        settings: say how long at most.
        warm_ms: by row the quickest call of earlier warm-ups, which this one adds to. A row whose calls
            took longer than a warm-up may is not warmed up again for larger batches.
    """

    def is_warm(times_ms: Sequence[float], elapsed: float) -> bool:
        return elapsed >= settings.warmup_seconds or is_steady(times_ms)

    for name, call in calls.items():
        if warm_ms.get(name, 0.0) < 1e3 * settings.warmup_seconds:
            times = warm_up(call, groups, is_warm)
            warm_ms[name] = min(times)


def _values(sample: Sample, process: int, route: Route, batch: int) -> dict[str, object]:
    """The sample as a row of the table of samples."""
    first = (
        process,
        sample.round,
        sample.row,
        route,
        batch,
        sample.group,
        sample.calls,
        sample.total_ms,
    )
    stages: dict[str, object] = {str(stage): ms for stage, ms in sample.stages.items()}
    return {**dict(zip(SAMPLE_COLUMNS, first, strict=True)), **stages}
