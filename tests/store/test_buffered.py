from __future__ import annotations

from pathlib import Path

import pytest
from store_samples import failed, plan, predictions, result, spec

from harness.store import BufferedStore, MemoryStore, Outbox


@pytest.fixture
def inner() -> MemoryStore:
    store = MemoryStore()
    store.open_study(plan())
    return store


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def store(inner: MemoryStore, outbox: Outbox) -> BufferedStore:
    return BufferedStore(inner, outbox)


def keep(inner: MemoryStore, trial: str = "t0", **more: object) -> None:
    inner.begin("first", trial, spec())
    inner.finish(result(trial, **more), predictions(), {})


def commit(outbox: Outbox, tmp_path: Path, trial: str = "t0", mae: float = 0.5) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    outbox.commit("first", result(trial, mae), predictions(), {"a.bin": path})


def test_what_waits_counts_as_stored(
    store: BufferedStore, inner: MemoryStore, outbox: Outbox, tmp_path: Path
) -> None:
    keep(inner, "t0")
    commit(outbox, tmp_path, "t1")
    outbox.commit("first", failed("t2"), None, {})
    asked = ["t0", "t1", "t2", "t3"]
    assert store.states(asked) == {"t0": "complete", "t1": "complete", "t2": "failed"}
    assert store.complete(asked) == {"t0", "t1"}
    assert store.get("t1").metrics["test/mae"] == 0.5
    assert store.predictions("t1") is not None
    assert store.artifact("t1", "a.bin").read_bytes() == b"weights"
    assert store.artifact("t1", "b.bin") is None
    assert store.predictions("t2") is None
    assert store.get("t3") is None
    assert (store.studies(), store.plan("first")) == (("first",), plan())


def test_what_waits_is_newer_than_what_is_stored(
    store: BufferedStore, inner: MemoryStore, outbox: Outbox, tmp_path: Path
) -> None:
    keep(inner, "t0", mae=0.9)
    keep(inner, "t1")
    commit(outbox, tmp_path, "t0")
    outbox.commit("first", failed("t1"), None, {})
    assert store.get("t0").metrics["test/mae"] == 0.5
    assert store.states(["t0", "t1"]) == {"t0": "complete", "t1": "failed"}
    assert store.complete(["t0", "t1"]) == {"t0"}
    assert store.predictions("t1") is None


def test_a_path_is_good_after_its_entry_was_delivered(
    store: BufferedStore, outbox: Outbox, tmp_path: Path
) -> None:
    commit(outbox, tmp_path)
    path = store.artifact("t0", "a.bin")
    assert path == store.artifact("t0", "a.bin")
    outbox.remove("t0")
    assert path.read_bytes() == b"weights"
    assert path.name == "a.bin"
    assert outbox.ids() == ()


def test_an_entry_that_is_delivered_while_it_is_read_is_found_in_the_store(
    store: BufferedStore,
    inner: MemoryStore,
    outbox: Outbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = outbox.result

    def delivered(trial: str) -> object:
        found = read(trial)
        if outbox.has(trial):
            inner.begin("first", trial, spec())
            inner.finish(found, predictions(), {"a.bin": outbox.artifact(trial, "a.bin")})
            outbox.remove(trial)
        return found

    monkeypatch.setattr(outbox, "result", delivered)
    for ask in (
        lambda: store.predictions("t0"),
        lambda: store.artifact("t0", "a.bin"),
        lambda: store.get("t0"),
        lambda: store.states(["t0"]).get("t0"),
    ):
        inner.forget(["t0"])
        commit(outbox, tmp_path)
        assert ask() is not None
        assert ask() is not None


def test_an_entry_that_cannot_be_read_hides_nothing(
    store: BufferedStore, inner: MemoryStore, outbox: Outbox, tmp_path: Path
) -> None:
    keep(inner, "t0", mae=0.9)
    commit(outbox, tmp_path)
    (outbox.folder / "t0" / "trial.json").write_text("")
    assert store.get("t0").metrics["test/mae"] == 0.9
    assert store.complete(["t0"]) == {"t0"}
    assert store.predictions("t0") is not None


def test_forgetting_reaches_what_waits(
    store: BufferedStore, inner: MemoryStore, outbox: Outbox, tmp_path: Path
) -> None:
    keep(inner, "t0")
    commit(outbox, tmp_path, "t0")
    commit(outbox, tmp_path, "t1")
    store.forget(iter(["t0"]))
    assert store.states(["t0", "t1"]) == {"t1": "complete"}
    assert inner.states(["t0"]) == {}
    assert outbox.ids() == ("t1",)


def test_writes_go_to_the_store(store: BufferedStore, inner: MemoryStore, outbox: Outbox) -> None:
    store.open_study(plan("second"))
    store.begin("second", "t0", spec())
    store.log_epochs("t0", result().epochs)
    store.finish(result(), None, {})
    assert inner.get("t0") == store.get("t0")
    store.begin("second", "t1", spec())
    store.abandon("t1")
    with pytest.raises(ValueError, match="has not begun"):
        inner.log_epochs("t1", [])
    assert outbox.ids() == ()
