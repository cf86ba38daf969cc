"""Many writers, many trials."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import epoch, plan, predictions, result, spec

from harness.store import Courier, Outbox
from harness.store.mlflow.store import DATABASE, MlflowStore

WRITERS, TRIALS, EPOCHS = 4, 125, 3


def epochs(trial: str) -> tuple:
    """Numbers that tell which trial and epoch they are of."""
    writer, number = map(int, trial.split("-"))
    offset = 1000.0 * writer + number
    return tuple(
        epoch(one, **{"val/mae": offset + one / 10, "train/task_l1": -offset}) for one in range(EPOCHS)
    )


def write(folder: Path, writer: int, start: object, told: object) -> None:
    store = MlflowStore.local(folder)
    outbox = Outbox(folder / "outbox")
    faults: list[str] = []
    start.wait()
    began = time.perf_counter()
    courier = Courier(store, outbox, lambda trial: None)
    for number in range(TRIALS):
        trial = f"{writer}-{number}"
        courier.begin("first", trial, spec())
        for record in epochs(trial):
            courier.log_epoch(trial, record)
        outbox.commit("first", result(trial, epochs=epochs(trial)), predictions(), {})
        courier.deliver(trial)
        faults += [courier.fault] if courier.fault else []
    remaining = courier.close(500)
    faults += [courier.fault] if courier.fault else []
    told.put((time.perf_counter() - began, remaining, faults))


@pytest.mark.slow
def test_four_writers_lose_no_metric_and_no_lock_reaches_anyone(results: Path) -> None:
    MlflowStore.local(results).open_study(plan())
    # Each writer imports what it needs, as a runner on its own does.
    context = multiprocessing.get_context("spawn")
    start, told = context.Barrier(WRITERS), context.Queue()
    workers = [
        context.Process(target=write, args=(results, writer, start, told)) for writer in range(WRITERS)
    ]
    for worker in workers:
        worker.start()
    reports = [told.get(timeout=550) for _ in workers]
    for worker in workers:
        worker.join(30)
    seconds = max(report[0] for report in reports)
    trials = [f"{writer}-{number}" for writer in range(WRITERS) for number in range(TRIALS)]
    print(f"\n{1000 * seconds / len(trials):.1f} ms a trial, {seconds:.1f} s for {len(trials)}")  # noqa: T201
    assert [report[1:] for report in reports] == [(0, [])] * WRITERS
    assert MlflowStore.local(results).complete(trials) == set(trials)
    assert statuses(results) == {"FINISHED": len(trials)}
    expected = {
        (trial, key, one.epoch, value)
        for trial in trials
        for one in epochs(trial)
        for key, value in one.metrics.items()
    }
    assert metrics(results) == sorted(expected)


def statuses(folder: Path) -> dict[str, int]:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return dict(
            connection.execute(
                "SELECT status, count(*) FROM runs JOIN tags USING (run_uuid) "
                "WHERE key = 'adviserbench.trial_id' GROUP BY status"
            )
        )


def metrics(folder: Path) -> list[tuple[str, str, int, float]]:
    """All values that were ever logged of an epoch, double ones twice."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return connection.execute(
            "SELECT tags.value, metrics.key, step, metrics.value FROM metrics JOIN tags "
            "USING (run_uuid) WHERE tags.key = 'adviserbench.trial_id' "
            "AND metrics.key NOT LIKE 'final/%' ORDER BY 1, 2, 3, 4"
        ).fetchall()


def multiply(folder: Path, run_id: str, times: int) -> list[str]:
    """Ids of trials whose runs are copies of one, made in the database and among the files."""
    trials = [f"copy{number}" for number in range(times)]
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        for table in ("runs", "tags", "params", "metrics", "latest_metrics"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            chosen = ", ".join("?" if name == "run_uuid" else name for name in columns)
            connection.executemany(
                f"INSERT INTO {table} SELECT {chosen} FROM {table} WHERE run_uuid = ?",  # noqa: S608
                [(trial, run_id) for trial in trials],
            )
        connection.executemany(
            "UPDATE tags SET value = ? WHERE run_uuid = ? AND key = 'adviserbench.trial_id'",
            [(trial, trial) for trial in trials],
        )
    for trial in trials:
        copied = folder / "artifacts" / trial / "artifacts"
        copied.mkdir(parents=True)
        (copied / "trial.json").write_text(result(trial).model_dump_json())
    return trials


@pytest.mark.slow
def test_the_states_of_ten_thousand_trials_take_less_than_a_second(results: Path) -> None:
    store = MlflowStore.local(results)
    store.open_study(plan())
    store.begin("first", "t0", spec())
    store.finish(result(), predictions(), {})
    trials = multiply(results, store._runs.trials(("FINISHED",), ["t0"])[0].run_id, 10_000)
    store.states(["t0"])  # so that no import is measured
    began = time.process_time()
    assert store.states(trials) == dict.fromkeys(trials, "complete")
    listed = time.process_time()
    assert store.complete(trials) == set(trials)
    done = time.process_time()
    print(f"\nstates {listed - began:.2f} s, complete {done - listed:.2f} s")  # noqa: T201
    assert listed - began < 1
    assert done - listed < 6


def test_looking_states_up_does_not_ask_for_every_trial(results: Path) -> None:
    import sqlalchemy

    store = MlflowStore.local(results)
    store.open_study(plan())
    asked: list[str] = []
    sqlalchemy.event.listen(
        store._runs._engine,
        "before_cursor_execute",
        lambda connection, cursor, statement, *more: asked.append(statement),
    )
    assert store.states([uuid.uuid4().hex for _ in range(3000)]) == {}
    assert len(asked) == 1
    shutil.rmtree(results)
