from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_samples import epoch, failed, plan, predictions, result, spec

from harness.spec import EpochRecord, TrialResult
from harness.store import Courier, MemoryStore, Outbox, StoreFault
from harness.store import courier as courier_module

DOWN = "the store is down"


class Flaky(MemoryStore):
    """A store that refuses its first `refusals` calls, and remembers what came through."""

    def __init__(self, refusals: int = 0) -> None:
        super().__init__()
        self.refusals = refusals
        self.finished: list[str] = []
        self.batches: list[list[int]] = []
        self.begun: list[str] = []
        self.abandoned: list[str] = []
        self.refused = threading.Event()

    def check(self) -> None:
        if self.refusals:
            self.refusals -= 1
            self.refused.set()
            raise StoreFault(DOWN)

    def states(self, trial_ids):
        self.check()
        return super().states(trial_ids)

    def begin(self, study, trial_id, spec) -> None:
        self.check()
        super().begin(study, trial_id, spec)
        self.begun.append(trial_id)

    def log_epochs(self, trial_id, epochs: list[EpochRecord]) -> None:
        self.check()
        super().log_epochs(trial_id, epochs)
        self.batches.append([record.epoch for record in epochs])

    def finish(self, result: TrialResult, predictions, files) -> None:
        self.check()
        super().finish(result, predictions, files)
        self.finished.append(result.trial_id)

    def abandon(self, trial_id: str) -> None:
        super().abandon(trial_id)
        self.abandoned.append(trial_id)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "FIRST_WAIT_SECONDS", 0.005)
    monkeypatch.setattr(courier_module, "LONGEST_WAIT_SECONDS", 0.02)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


Send = Callable[..., Courier]


@pytest.fixture
def send(outbox: Outbox) -> Iterator[Send]:
    """Makes couriers, and ends them with the test."""
    made: list[Courier] = []

    def make(
        store: MemoryStore, seconds: float = 0.01, told: Callable[[str], None] = lambda trial: None
    ) -> Courier:
        store.open_study(plan())
        made.append(Courier(store, outbox, told, seconds))
        return made[-1]

    yield make
    for courier in made:
        courier.close(1)


def test_begun_epochs_and_end_arrive(outbox: Outbox, send: Send) -> None:
    store, told = Flaky(), []
    courier = send(store, told=told.append)
    courier.begin("first", "t0", spec())
    assert courier.flush(5)
    assert store.begun == ["t0"]
    courier.log_epoch("t0", epoch(0, **{"val/mae": 0.9}))
    assert courier.flush(5)
    assert store.epochs["t0"] == {0: {"val/mae": 0.9}}
    outbox.commit("first", result(), predictions(), {})
    courier.deliver("t0")
    assert courier.flush(5)
    assert store.get("t0").model_dump_json() == result().model_dump_json()
    assert store.predictions("t0") is not None
    assert (told, outbox.ids(), courier.waiting, courier.fault) == (["t0"], (), 0, None)


@pytest.mark.parametrize("refusals", range(1, 9))
def test_a_store_that_refuses_at_first_gets_everything_once(
    outbox: Outbox, send: Send, refusals: int
) -> None:
    store, told = Flaky(refusals), []
    courier = send(store, told=told.append)
    trials = ["t0", "t1", "t2"]
    for trial in trials:
        courier.begin("first", trial, spec())
        courier.log_epoch(trial, epoch(0, **{"val/mae": 0.9}))
        outbox.commit("first", result(trial), predictions(), {})
        courier.deliver(trial)
    assert courier.flush(10)
    assert sorted(store.finished) == trials
    assert sorted(told) == trials
    assert store.complete(trials) == set(trials)
    assert all(store.epochs[trial] == {0: {"val/mae": 0.9}} for trial in trials)
    assert store.refusals == 0
    assert (courier.fault, courier.waiting) == (None, 0)


def test_while_the_store_is_down_nothing_waits_and_nothing_is_lost(outbox: Outbox, send: Send) -> None:
    store = Flaky(refusals=1_000_000)
    courier = send(store)
    for number in range(20):
        trial = f"t{number}"
        courier.begin("first", trial, spec())
        courier.log_epoch(trial, epoch(0, **{"val/mae": 0.9}))
        outbox.commit("first", result(trial), None, {})
        courier.deliver(trial)
    assert store.refused.wait(5)
    assert not courier.flush(0.05)
    assert courier.fault == DOWN
    assert courier.waiting == 20
    assert len(outbox.ids()) == 20
    store.refusals = 0
    assert courier.flush(10)
    assert sorted(store.finished) == sorted(f"t{number}" for number in range(20))
    assert outbox.ids() == ()


def test_closing_delivers_what_it_can_and_counts_the_rest(outbox: Outbox, send: Send) -> None:
    store = Flaky()
    courier = send(store, seconds=1000)
    outbox.commit("first", result("t0"), None, {})
    courier.deliver("t0")
    courier.begin("first", "t1", spec())
    assert courier.close(5) == 0
    assert store.finished == ["t0"]
    down = Flaky(refusals=1_000_000)
    courier = send(down)
    outbox.commit("first", result("t2"), None, {})
    courier.deliver("t2")
    assert courier.close(0.05) == 1
    assert courier.close(5) == 1
    assert outbox.ids() == ("t2",)


def test_a_trial_under_way_is_abandoned_when_the_courier_is_closed(send: Send) -> None:
    store = Flaky()
    courier = send(store)
    courier.begin("first", "t0", spec())
    courier.begin("first", "t1", spec())
    assert courier.flush(5)
    courier.abandon("t1")
    courier.abandon("t1")
    courier.abandon("unknown")
    assert courier.flush(5)
    assert store.abandoned == ["t1"]
    courier.close(5)
    assert store.abandoned == ["t1", "t0"]


def test_an_entry_of_a_killed_process_is_delivered_by_the_next(outbox: Outbox, send: Send) -> None:
    outbox.commit("first", result("t0"), predictions(), {})
    store = Flaky()
    courier = send(store)
    courier.deliver("t0")
    assert courier.flush(5)
    assert store.complete(["t0"]) == {"t0"}
    assert store.epochs["t0"] == {0: {"val/mae": 0.9}}


@pytest.mark.parametrize(
    "ended",
    [result(), failed(), result(state="pruned", metrics={}, efficiency=None)],
    ids=lambda record: record.state,
)
def test_what_was_delivered_before_a_kill_is_not_delivered_again(
    outbox: Outbox, send: Send, ended: TrialResult
) -> None:
    store, told = Flaky(), []
    courier = send(store, told=told.append)
    for _ in range(2):
        outbox.commit("first", ended, None, {})
        courier.deliver("t0")
        assert courier.flush(5)
    assert store.finished == ["t0"]
    assert told == ["t0", "t0"]
    assert outbox.ids() == ()


def test_another_failure_of_a_trial_is_stored_and_one_after_its_success_is_not(
    outbox: Outbox, send: Send
) -> None:
    store = Flaky()
    courier = send(store)
    again = failed().model_copy(update={"notes": ("run again",)})
    for ended, finished in ((failed(), 1), (again, 2), (result(), 3), (failed(), 3)):
        outbox.commit("first", ended, None, {})
        courier.deliver("t0")
        assert courier.flush(5)
        assert len(store.finished) == finished
    assert store.states(["t0"]) == {"t0": "complete"}


def test_a_trial_that_ran_elsewhere_meanwhile_is_not_left_running_here(
    outbox: Outbox, send: Send
) -> None:
    store = Flaky()
    courier = send(store)
    courier.begin("first", "t0", spec())
    assert courier.flush(5)
    store._finished["t0"] = _elsewhere(result(mae=0.1))
    outbox.commit("first", result(mae=0.2), None, {})
    courier.deliver("t0")
    assert courier.flush(5)
    assert store.get("t0").metrics["test/mae"] == 0.1
    assert store.abandoned == ["t0"]


def _elsewhere(record: TrialResult) -> object:
    other = MemoryStore()
    other.open_study(plan())
    other.begin("first", record.trial_id, spec())
    other.finish(record, None, {})
    return other._finished[record.trial_id]


def test_an_entry_that_cannot_be_read_is_set_aside_and_holds_nobody_up(
    outbox: Outbox, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    store, told = Flaky(), []
    for trial in ("t0", "t1", "t2"):
        outbox.commit("first", result(trial), predictions(), {})
    (outbox.folder / "t0" / "trial.json").write_text("{")
    (outbox.folder / "t1" / "predictions.parquet").write_bytes(b"")
    courier = send(store, told=told.append)
    with caplog.at_level(logging.WARNING):
        for trial in ("t0", "t1", "t2"):
            courier.deliver(trial)
        assert courier.flush(5)
    assert store.finished == ["t2"]
    assert sorted(path.name for path in outbox.folder.iterdir()) == ["t0.unreadable", "t1.unreadable"]
    assert told == ["t0", "t1", "t2"]
    assert ["not a record" in line for line in caplog.messages] == [True, False]


def test_an_entry_that_the_store_refuses_holds_nobody_up(outbox: Outbox, send: Send) -> None:
    store = Flaky()
    courier = send(store)
    outbox.commit("never opened", result("t0"), None, {})
    outbox.commit("first", result("t1"), None, {})
    courier.deliver("t0")
    courier.deliver("t1")
    assert not courier.flush(0.2)
    assert store.finished == ["t1"]
    assert courier.waiting == 1
    assert courier.fault == "study 'never opened' is not open in this store"


def test_an_entry_that_another_delivered_counts_as_delivered(outbox: Outbox, send: Send) -> None:
    store, told = Flaky(), []
    courier = send(store, told=told.append)
    courier.deliver("t0")
    assert courier.flush(5)
    assert (store.finished, told, courier.waiting) == ([], ["t0"], 0)


def test_who_waits_for_a_delivery_is_told_again_when_he_could_not_take_it(
    outbox: Outbox, send: Send
) -> None:
    left, told = [1, 1, 1], []

    def release(trial: str) -> None:
        if left:
            left.pop()
            raise StoreFault("claims are down")
        told.append((trial, outbox.ids()))

    store = Flaky()
    courier = send(store, told=release)
    outbox.commit("first", result(), None, {})
    courier.deliver("t0")
    assert courier.flush(5)
    assert told == [("t0", ())]
    assert store.finished == ["t0"]


def test_epochs_that_wait_go_in_one_batch(send: Send) -> None:
    store = Flaky()
    courier = send(store, seconds=1000)
    courier.begin("first", "t0", spec())
    for number in range(10):
        courier.log_epoch("t0", epoch(number, **{"val/mae": 1.0}))
    courier.log_epoch("unknown", epoch(0, **{"val/mae": 1.0}))
    assert courier.flush(5)
    assert store.batches == [list(range(10))]


def test_of_a_trial_that_ended_before_its_turn_only_the_end_is_stored(
    outbox: Outbox, send: Send
) -> None:
    store = Flaky()
    courier = send(store, seconds=1000)
    courier.begin("first", "t0", spec())
    courier.log_epoch("t0", epoch(0, **{"val/mae": 0.9}))
    outbox.commit("first", result(), None, {})
    courier.deliver("t0")
    assert courier.flush(5)
    assert (store.begun, store.finished) == (["t0"], ["t0"])
    assert store.batches == [[0]]
