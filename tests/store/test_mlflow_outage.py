"""A tracking server that dies in the middle of a study."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import epoch, plan, predictions, result, spec
from tracking_server import TrackingServer

from harness.spec import BadInput, TrialResult
from harness.store import BufferedStore, Courier, Outbox, StoreFault, open_store

pytestmark = pytest.mark.slow

TRIALS = [f"t{number}" for number in range(9)]


@pytest.fixture
def own_server(tmp_path: Path, empty_database: Path) -> Iterator[TrackingServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    server = TrackingServer(folder, empty_database)
    server.start()
    yield server
    server.kill()


def ended(trial: str) -> TrialResult:
    return result(trial, epochs=(epoch(0, **{"val/mae": 0.9}), epoch(1, **{"val/mae": 0.8})))


def test_what_ends_while_the_server_is_dead_is_delivered_when_it_lives_again(
    own_server: TrackingServer, tmp_path: Path
) -> None:
    store = open_store(tmp_path, own_server.address)
    store.open_study(plan())
    outbox = Outbox(tmp_path / "outbox")
    weights = tmp_path / "weights"
    delivered: list[str] = []
    courier = Courier(store, outbox, delivered.append, seconds=0.1)
    for number, trial in enumerate(TRIALS):
        if number == 3:
            # The fourth trial is under way: its run is open, and so may be a request.
            courier.begin("first", trial, spec())
            assert courier.flush(60)
            own_server.kill()
        courier.begin("first", trial, spec())
        courier.log_epoch(trial, epoch(0, **{"val/mae": 0.9}))
        weights.write_text(trial)
        outbox.commit("first", ended(trial), predictions(), {"weights.bin": weights})
        courier.deliver(trial)
        if number < 2:
            assert courier.flush(60)
    assert not courier.flush(5)
    assert courier.fault == f"{own_server.address}: Connection refused"
    assert 6 <= courier.waiting <= 7
    began = time.monotonic()
    with pytest.raises(StoreFault, match=r"^http://127\.0\.0\.1:\d+: Connection refused$"):
        store.states(TRIALS)
    assert time.monotonic() - began < 10
    with pytest.raises(BadInput, match="no MLflow server at"):
        open_store(tmp_path, own_server.address)
    waiting = BufferedStore(store, outbox).get(TRIALS[-1])
    assert waiting is not None
    assert waiting.model_dump_json() == ended(TRIALS[-1]).model_dump_json()

    own_server.start()
    assert courier.flush(120)
    assert courier.close(10) == 0
    assert sorted(delivered) == TRIALS
    assert outbox.ids() == ()
    again = open_store(tmp_path, own_server.address)
    assert again.complete(TRIALS) == set(TRIALS)
    for trial in TRIALS:
        found = again.get(trial)
        assert found is not None
        assert found.model_dump_json() == ended(trial).model_dump_json()
        assert again.artifact(trial, "weights.bin").read_text() == trial
    check_runs(again)


def check_runs(store: object) -> None:
    """One finished run a trial, and every epoch of it once."""
    finished = store._runs.trials(("FINISHED",), TRIALS)
    assert sorted(run.trial_id for run in finished) == TRIALS
    assert store._runs.trials(("RUNNING",), TRIALS) == []
    for run in finished:
        history = store._client.get_metric_history(run.run_id, "val/mae")
        assert [(one.step, one.value) for one in history] == [(0, 0.9), (1, 0.8)]
