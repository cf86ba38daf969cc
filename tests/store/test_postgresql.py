"""A database server that stops in the middle of a study; the contract has it as one of its stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from store_samples import epoch, plan, predictions, result, spec

from harness.spec import BadInput
from harness.store import Courier, Outbox, StoreFault, open_store

pytestmark = pytest.mark.slow

TRIALS = [f"t{number}" for number in range(6)]


@pytest.fixture
def uri(postgres: PostgresServer) -> Iterator[str]:
    """A database of its own; the server runs again when the test is over."""
    made = postgres.create("outage")
    yield made
    if not postgres.is_running():
        postgres.start()


def test_what_ends_while_the_database_is_stopped_is_delivered_when_it_runs_again(
    postgres: PostgresServer, uri: str, tmp_path: Path
) -> None:
    store = open_store(tmp_path, uri)
    store.open_study(plan())
    outbox = Outbox(tmp_path / "outbox")
    courier = Courier(store, outbox, lambda trial: None, seconds=0.1)
    for number, trial in enumerate(TRIALS):
        courier.begin("first", trial, spec())
        courier.log_epoch(trial, epoch(0, **{"val/mae": 0.9}))
        if number == 2:
            assert courier.flush(60)
            postgres.stop()
        outbox.commit("first", result(trial), predictions(), {})
        courier.deliver(trial)
    assert not courier.flush(3)
    assert courier.waiting == 4
    for fault in (courier.fault, fault_of(store)):
        assert "Connection refused" in fault or "terminating connection" in fault
        assert "hidden" not in fault
        assert "\n" not in fault
    with pytest.raises(BadInput, match="no database answers"):
        open_store(tmp_path, uri)

    postgres.start()
    assert courier.flush(60)
    assert courier.close(10) == 0
    again = open_store(tmp_path, uri)
    assert again.complete(TRIALS) == set(TRIALS)
    assert outbox.ids() == ()
    finished = again._runs.trials(("FINISHED",), TRIALS)
    assert sorted(run.trial_id for run in finished) == TRIALS
    assert again._runs.trials(("RUNNING",), TRIALS) == []
    for run in finished:
        history = again._client.get_metric_history(run.run_id, "val/mae")
        assert [(one.step, one.value) for one in history] == [(0, 0.9)]


def fault_of(store: object) -> str:
    with pytest.raises(StoreFault) as caught:
        store.states(TRIALS)
    return str(caught.value)
