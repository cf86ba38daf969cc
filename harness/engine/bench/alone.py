"""One row in a process of its own: its cold start, its memory, and what of it is no time."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from time import perf_counter

import torch

from harness.contracts import Notes, ReadsClips, Unsupported
from harness.efficiency.energy import EnergyMeter
from harness.efficiency.flops import counted_flops, forward_flops
from harness.efficiency.machine import set_threads
from harness.efficiency.memory import accelerator_peak, current_rss, peak_rss
from harness.efficiency.parameters import components, inference_parameters
from harness.efficiency.turns import Call
from harness.engine.bench.compare import deviation
from harness.engine.bench.loaded import Loaded, load, needs_of
from harness.engine.bench.order import Alone, Entrant, Order
from harness.registry import DATASETS
from harness.spec import BenchRow, ColdStart, Memory

ENERGY_SECONDS = 1.0


def alone(order: Order, imports: float) -> Alone:
    """What there is to know of the order's first entrant but how long it takes when it is warm.

    Args:
        order: has one entrant.
        imports: seconds from when this process was asked for to when everything was imported.
    """
    entrant = order.entrants[0]
    threads, _ = set_threads(order.settings.threads)
    baseline = current_rss()
    begun = perf_counter()
    try:
        loaded = load(entrant, order, threads)
    except Unsupported as fault:
        return refused(entrant, f"{entrant.backend.name} {fault}")
    seconds = perf_counter() - begun
    with torch.inference_mode():
        call = _route(loaded, order)
        was_dropped = _drop_file_cache(loaded, order)
        first, second = _seconds(call), _seconds(call)
        cold = ColdStart(
            imports=imports,
            load=seconds,
            first_call=first,
            second_call=second,
            cache_was_dropped=was_dropped,
        )
        memory = _memory(loaded, baseline)
        meter = EnergyMeter(loaded.fabric.device)
        joules = _joules(call, meter)
    row = _row(loaded, order).model_copy(update={"cold": cold, "memory": memory, "joules": joules})
    if not entrant.is_eager:
        clips = order.material[entrant.spec.data].check
        try:
            found = deviation(loaded, clips, max(order.settings.batches))
        except Unsupported as fault:
            return Alone(row.model_copy(update={"refused": f"{entrant.backend.name} {fault}"}))
        row = row.model_copy(update={"deviation": found})
    return Alone(row, (*_reading_notes(loaded), *meter.sources()))


def _route(loaded: Loaded, order: Order) -> Call:
    is_end_to_end = "end_to_end" in order.settings.routes
    return (loaded.end_to_end if is_end_to_end else loaded.model_only)(order.groups(1)[:1])


def _seconds(call: Call) -> float:
    start, end, _ = call(0)
    return (end - start) / 1e9


def _memory(loaded: Loaded, baseline: int) -> Memory:
    accelerator = accelerator_peak(loaded.fabric.device)
    return Memory(
        baseline_rss=baseline,
        peak_rss=peak_rss(),
        accelerator_allocated=None if accelerator is None else accelerator[0],
        accelerator_reserved=None if accelerator is None else accelerator[1],
    )


def _joules(call: Call, meter: EnergyMeter) -> float | None:
    """Of one call; None where nothing can be read."""
    if not meter.is_readable:
        return None
    calls, begun = 0, perf_counter()
    with meter:
        while not calls or perf_counter() - begun < ENERGY_SECONDS:
            call(0)
            calls += 1
    return None if meter.joules is None else meter.joules / calls


def _row(loaded: Loaded, order: Order) -> BenchRow:
    row = _bare(loaded.entrant).model_copy(
        update={
            "file_bytes": loaded.runner.file_bytes(),
            "notes": (*_notes(loaded), *loaded.runner.notes()),
        }
    )
    if not loaded.entrant.is_eager:
        return row
    return row.model_copy(update=_counts(loaded, order))


def _counts(loaded: Loaded, order: Order) -> dict[str, object]:
    """Of the model, whatever runs it: parameters, and operations on the first clip."""
    model, one = loaded.model, loaded.ready(order.groups(1)[0])
    with loaded.fabric.autocast():
        flops = forward_flops(model, one)
        needed = inference_parameters(model, one)
    networks = dict(loaded.reading.networks) if loaded.reading else {}
    if loaded.hearing is not None:
        networks["speech recognition"] = loaded.hearing.recogniser.network
    whole: int | None = flops if "end_to_end" in order.settings.routes else None
    if networks:
        call = loaded.end_to_end(order.groups(1)[:1])
        whole = counted_flops(partial(call, 0))
    return {
        "parameters": inference_parameters(model),
        "needed_parameters": needed,
        "components": components(model),
        "extractor_parameters": sum(
            one.numel() for network in networks.values() for one in network.parameters()
        ),
        "flops": flops,
        "end_to_end_flops": whole,
    }


def _bare(entrant: Entrant) -> BenchRow:
    """What is known of a row before anything is built."""
    spec = entrant.spec
    return BenchRow(
        name=entrant.name,
        arm=entrant.arm,
        backend=entrant.backend,
        role=spec.role,
        model=spec.model.name,
        trial_id=entrant.trial_id,
        weights="random" if entrant.checkpoint is None else "trained",
        views=tuple(sorted(needs_of(spec))),
        parameters=0,
        needed_parameters=0,
        quality=dict(entrant.quality),
    )


def refused(entrant: Entrant, reason: str) -> Alone:
    """What there is to know of a row that could not be measured."""
    return Alone(_bare(entrant).model_copy(update={"refused": reason}))


def _notes(loaded: Loaded) -> tuple[str, ...]:
    return loaded.model.notes() if isinstance(loaded.model, Notes) else ()


def _reading_notes(loaded: Loaded) -> tuple[str, ...]:
    heard = loaded.hearing
    listens = () if heard is None else (*heard.reading.notes, *heard.recogniser.notes())
    return tuple(dict.fromkeys((*(loaded.reading.notes if loaded.reading else ()), *listens)))


def _drop_file_cache(loaded: Loaded, order: Order) -> bool:
    """Asks the system to forget what it keeps of the first clip's files; whether it could be asked."""
    if not hasattr(os, "posix_fadvise"):
        return False
    place = order.groups(1)[0][0]
    reader = DATASETS.build(loaded.entrant.spec.data)
    files = [order.transcripts / f"{place}.txt"] if loaded.reads_transcripts() else []
    if isinstance(reader, ReadsClips) and (loaded.reading or loaded.hearing):
        files.append(reader.clip_file(loaded.source.ids[place]))
    for file in files:
        _forget(file)
    return bool(files)


def _forget(file: Path) -> None:
    with file.open("rb") as content:
        # What was written just now is kept until it is on the disk.
        os.fsync(content.fileno())
        os.posix_fadvise(content.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
