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
from harness.engine.bench.alone import bare
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
        whole = Order(
            settings=settings,
            entrants=rows,
            material=found,
            transcripts=work / "transcripts",
            accelerator=plan.study.runtime.accelerator,
        )
        processes = _Processes(work, threads, tuple(plugins))
        answers = _alone(whole, processes, say)
        timed = tuple(row for row in rows if not answers[row.name].row.refused)
        if compared_with not in {row.name for row in timed}:
            raise MeasurementFault(
                f"'{compared_with}', which ratios are to: {answers[compared_with].row.refused}"
            )
        together = _together(replace(whole, entrants=timed), processes, say)
    first = rows[0]
    return Bench(
        BenchRecord(
            study=plan.study.name,
            title=plan.study.title,
            settings=settings,
            reference=compared_with,
            rows=_rows(rows, answers, _busy(together, settings)),
            clips=clips,
            machines=tuple(one.machine for one in together),
            data=_changed(first.spec.data),
            data_fingerprint=plan.fingerprints[first.trial_id],
            primary=f"test/{primary(first.spec)}",
            notes=tuple(dict.fromkeys(note for one in answers.values() for note in one.notes)),
            environment=environment(device),
            seconds=perf_counter() - begun,
        ),
        pd.concat([one.samples for one in together], ignore_index=True),
    )


def _changed(data: VariantRef) -> VariantRef:
    """The data set with the parameters that differ from its defaults, but for where it lies."""
    defaults = DATASETS.resolve(VariantRef(name=data.name)).params
    changed = {
        key: value
        for key, value in data.params.items()
        if key not in LOCATION_KEYS and value != defaults.get(key)
    }
    return VariantRef.model_validate({"name": data.name, **changed})


def _alone(order: Order, processes: _Processes, say: Callable[[str], None]) -> dict[str, Alone]:
    """By row what a process found that had it for itself; a process that died refuses its row."""
    found: dict[str, Alone] = {}
    for number, row in enumerate(order.entrants, 1):
        say(f"{row.name} alone ({number} of {len(order.entrants)})")
        material = {row.spec.data: order.material[row.spec.data]}
        one = replace(order, entrants=(row,), material=material)
        try:
            found[row.name] = processes.answer(one, is_alone=True)
        except MeasurementFault as fault:
            found[row.name] = Alone(bare(row).model_copy(update={"refused": str(fault)}))
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


def _rows(
    rows: Sequence[Entrant], answers: dict[str, Alone], notes: tuple[str, ...]
) -> tuple[BenchRow, ...]:
    """The rows with the counts of their model, which were made where it ran on eager."""
    counts = {
        row.arm: {name: getattr(answers[row.name].row, name) for name in SHARED_COUNTS}
        for row in rows
        if row.is_eager
    }
    found = {row.name: answers[row.name].row for row in rows}
    return tuple(
        found[row.name].model_copy(update={**counts[row.arm], "notes": (*notes, *found[row.name].notes)})
        for row in rows
    )


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
