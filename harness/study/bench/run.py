"""From a plan to everything that was measured of it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, perf_counter_ns
from typing import Any

import pandas as pd

from harness.efficiency.machine import checked_threads
from harness.engine.bench.alone import refused
from harness.engine.bench.compare import primary
from harness.engine.bench.order import Alone, Entrant, Order, Together
from harness.engine.environment import environment, find_device
from harness.registry import DATASETS
from harness.spec import LOCATION_KEYS, BenchRecord, BenchRow, BenchSettings, Plan, VariantRef
from harness.store import ResultStore
from harness.study.bench.entrants import entrants, reference
from harness.study.bench.material import material, write_transcripts
from harness.study.bench.measure import COMMAND
from harness.study.launch.machine import thread_variables

SHARED = ("parameters", "needed_parameters", "components", "extractor_parameters")
SHARED_COUNTS = (*SHARED, "flops", "end_to_end_flops")
"""What rows of one arm have in common, whatever back end they are on."""


class MeasurementFault(RuntimeError):
    """A measuring process ended without an answer; one line that says which and why."""


@dataclass(frozen=True)
class Bench:
    """What was measured: the record, and a table of samples (`SAMPLE_COLUMNS`)."""

    record: BenchRecord
    samples: pd.DataFrame


def bench(
    plan: Plan,
    settings: BenchSettings,
    store: ResultStore | None,
    *,
    plugins: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Bench:
    """Measures the arms of a plan: each row in a process of its own, then all of them side by side.

    Args:
        plan: the study; nothing is trained.
        settings: how it is measured.
        store: where checkpoints are; None for weights at random.
        plugins: modules that register variants.
        say: is told what is measured next.

    Raises:
        BadInput: what is asked for is not there, cannot be had, or is more than the machine has.
        MeasurementFault: a process that timed all rows was killed, or failed.
    """
    begun = perf_counter()
    device = find_device(plan.study.runtime.accelerator)
    threads = checked_threads(settings.threads)
    rows = entrants(plan, settings, store)
    compared_with = reference(rows, plan, settings)
    say(f"reading the clips of {len(rows)} rows")
    found, clips = material(rows, plan, settings)
    with TemporaryDirectory() as folder:
        work = Path(folder)
        write_transcripts(found[rows[0].spec.data].data, work / "transcripts")
        order = Order(
            settings=settings,
            entrants=rows,
            material=found,
            transcripts=work / "transcripts",
            accelerator=plan.study.runtime.accelerator,
        )
        measured = _measured(order, compared_with, _Processes(work, threads, tuple(plugins)), say)
    return Bench(
        BenchRecord(
            **_what(plan, rows[0]),
            settings=settings,
            reference=compared_with,
            rows=_rows(rows, measured),
            clips=clips,
            machines=tuple(one.machine for one in measured.together),
            notes=tuple(dict.fromkeys(note for one in measured.alone.values() for note in one.notes)),
            environment=environment(device),
            seconds=perf_counter() - begun,
        ),
        pd.concat([one.samples for one in measured.together], ignore_index=True),
    )


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


@dataclass(frozen=True)
class _Measured:
    """What the processes found.

    Attributes:
        alone: of each row by its name, what a process found that had it for itself.
        together: what each process found that timed all rows that were not refused.
        notes: what every row has to say.
    """

    alone: dict[str, Alone]
    together: tuple[Together, ...]
    notes: tuple[str, ...]


def _measured(
    order: Order, compared_with: str, processes: _Processes, say: Callable[[str], None]
) -> _Measured:
    """Each row alone, then all together that nothing refused.

    Raises:
        MeasurementFault: the row that ratios are to was refused, or a process that timed all failed.
    """
    alone = _alone(order, processes, say)
    if reason := alone[compared_with].row.refused:
        raise MeasurementFault(f"'{compared_with}', which ratios are to: {reason}")
    timed = tuple(row for row in order.entrants if not alone[row.name].row.refused)
    together = _together(replace(order, entrants=timed), processes, say)
    return _Measured(alone, together, _busy(together, order.settings))


def _alone(order: Order, processes: _Processes, say: Callable[[str], None]) -> dict[str, Alone]:
    """By row what a process found that had it for itself; a process that died refuses its row.

    What eager cannot run, no other back end is asked for: there is nothing to check it against.
    """
    found: dict[str, Alone] = {}
    without_eager: dict[str, str] = {}
    for number, row in enumerate(order.entrants, 1):
        if row.arm in without_eager:
            found[row.name] = refused(row, without_eager[row.arm])
            continue
        say(f"{row.name} alone ({number} of {len(order.entrants)})")
        material = {row.spec.data: order.material[row.spec.data]}
        one = replace(order, entrants=(row,), material=material)
        try:
            found[row.name] = processes.answer(one, is_alone=True)
        except MeasurementFault as fault:
            found[row.name] = refused(row, str(fault))
        if row.is_eager and found[row.name].row.refused:
            without_eager[row.arm] = f"'{row.name}', which it is checked against, was refused"
    return found


def _together(order: Order, processes: _Processes, say: Callable[[str], None]) -> tuple[Together, ...]:
    found: list[Together] = []
    for number in range(order.settings.processes):
        say(f"all rows side by side, process {number + 1} of {order.settings.processes}")
        found.append(processes.answer(replace(order, number=number), is_alone=False))
        for warning in _busy(found[-1:], order.settings):
            say(f"{warning}: these times are too long, and the rows will say so")
    return tuple(found)


def _busy(found: Sequence[Together], settings: BenchSettings) -> tuple[str, ...]:
    """What every row has to say of a machine on which others worked too."""
    share = max(one.machine.others_share for one in found)
    if share <= settings.busy_share:
        return ()
    return (f"BUSY: others used {share:.0%} of the cores",)


def _rows(rows: Sequence[Entrant], measured: _Measured) -> tuple[BenchRow, ...]:
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


@dataclass(frozen=True)
class _Processes:
    """Fresh interpreters, one after the other."""

    work: Path
    threads: int
    plugins: tuple[str, ...]

    def answer(self, order: Order, *, is_alone: bool) -> Any:
        """What a process says of the order.

        Raises:
            MeasurementFault: it died, or failed.
        """
        asked, answered = self.work / "order", self.work / "answer"
        answered.unlink(missing_ok=True)
        asked.write_bytes(pickle.dumps((self.plugins, is_alone, pickle.dumps(order))))
        given = [str(asked), str(answered), str(os.getpid()), str(perf_counter_ns())]
        done = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", COMMAND, *given, *sys.path],
            env=os.environ | thread_variables(self.threads),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not answered.is_file():
            raise MeasurementFault(_cause(done))
        return pickle.loads(answered.read_bytes())  # noqa: S301 - our child's


def _cause(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"its process was killed by signal {-done.returncode}; memory may have run out"
    last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
    return f"its process failed: {last[0].strip() if last else f'exit code {done.returncode}'}"
