"""From a plan to everything that was measured of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import pandas as pd

from harness.efficiency.machine import checked_threads
from harness.engine.bench.compare import primary
from harness.engine.bench.order import Entrant, Material, Order
from harness.engine.environment import environment, find_device
from harness.registry import DATASETS
from harness.spec import LOCATION_KEYS, BenchRecord, BenchRow, BenchSettings, Plan, VariantRef
from harness.store import ResultStore
from harness.study.bench.entrants import entrants, reference
from harness.study.bench.kept import Kept, shared_by_orders
from harness.study.bench.material import material, write_transcripts
from harness.study.bench.measuring import Measured, Measuring
from harness.study.bench.processes import Processes

SHARED = ("parameters", "needed_parameters", "components", "extractor_parameters")
SHARED_COUNTS = (*SHARED, "flops", "end_to_end_flops")
"""What rows of one arm have in common, whatever back end they are on."""


@dataclass(frozen=True)
class Bench:
    """What was measured: the record, and a table of samples (`SAMPLE_COLUMNS`)."""

    record: BenchRecord
    samples: pd.DataFrame


def bench(  # noqa: PLR0913 - what, how, from where, to where, and who is told
    plan: Plan,
    settings: BenchSettings,
    store: ResultStore | None,
    *,
    work: Path,
    plugins: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Bench:
    """Measures the arms of a plan: each row in a process of its own, then all of them side by side.

    What processes answer is kept, so that a bench which is interrupted goes on from there, until
    `forget` is called.

    Args:
        plan: the study; nothing is trained.
        settings: how it is measured.
        store: where checkpoints are; None for weights at random.
        work: folder for what is kept; one that is asked for the same again goes on from what is there.
        plugins: modules that register variants.
        say: is told what is measured next.

    Raises:
        BadInput: what is asked for is not there, cannot be had, or is more than the machine has.
        MeasurementFault: a process that timed all rows was killed, or failed.
    """
    begun = perf_counter()
    device = find_device(plan.study.runtime.accelerator)
    where = environment(device)
    threads = checked_threads(settings.threads)
    rows = entrants(plan, settings, store)
    compared_with = reference(rows, plan, settings)
    say(f"reading the clips of {len(rows)} rows")
    found, clips = material(rows, plan, settings)
    kept = Kept(work, shared_by_orders(plugins, where))
    with TemporaryDirectory() as folder:
        processes = Processes(Path(folder), threads, tuple(plugins))
        order = _order(rows, found, plan, settings, Path(folder))
        measured = Measuring(processes, kept, say).measured(order, compared_with)
    return Bench(
        BenchRecord(
            **_what(plan, rows[0]),
            settings=settings,
            reference=compared_with,
            rows=_rows(rows, measured),
            clips=clips,
            machines=tuple(one.machine for one in measured.together),
            notes=tuple(dict.fromkeys(note for one in measured.alone.values() for note in one.notes)),
            environment=where,
            gone_on_from=measured.gone_on_from,
            seconds=perf_counter() - begun,
        ),
        pd.concat([one.samples for one in measured.together], ignore_index=True),
    )


def _order(
    rows: tuple[Entrant, ...],
    found: Mapping[VariantRef, Material],
    plan: Plan,
    settings: BenchSettings,
    folder: Path,
) -> Order:
    """Everything that is to be measured; the transcripts of its clips lie in the folder."""
    transcripts = folder / "transcripts"
    write_transcripts(found[rows[0].spec.data].data, transcripts)
    return Order(settings, rows, found, transcripts, plan.study.runtime.accelerator)


def _what(plan: Plan, first: Entrant) -> dict[str, Any]:
    """The fields of a record that say what was measured, and on which clips."""
    return {
        "study": plan.study.name,
        "title": plan.study.title,
        "data": _changed(first.spec.data),
        "data_fingerprint": plan.fingerprints[first.trial_id],
        "primary": f"test/{primary(first.spec)}",
    }


def _changed(data: VariantRef) -> VariantRef:
    """The data set with the parameters that differ from its defaults, but for where it lies."""
    defaults = DATASETS.resolve(VariantRef(name=data.name)).params
    changed = {
        key: value
        for key, value in data.params.items()
        if key not in LOCATION_KEYS and value != defaults.get(key)
    }
    return VariantRef.model_validate({"name": data.name, **changed})


def _rows(rows: Sequence[Entrant], measured: Measured) -> tuple[BenchRow, ...]:
    """The rows with the counts of their model, which were made where it ran on eager."""
    found = {name: one.row for name, one in measured.alone.items()}
    counts = {
        row.arm: {name: getattr(found[row.name], name) for name in SHARED_COUNTS}
        for row in rows
        if row.is_eager
    }

    def complete(row: Entrant) -> BenchRow:
        notes = (*measured.notes, *found[row.name].notes)
        return found[row.name].model_copy(update={**counts[row.arm], "notes": notes})

    return tuple(map(complete, rows))
