from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from store_samples import epoch, failed, plan, predictions, result, spec

from harness.store import ResultStore

Reopen = Callable[[], ResultStore]


def keep(store: ResultStore, trial_id: str = "t0", mae: float = 0.7) -> None:
    store.begin("first", trial_id, spec())
    store.finish(result(trial_id, mae), predictions(), {})


@pytest.fixture
def opened(store: ResultStore) -> ResultStore:
    store.open_study(plan())
    return store


def test_an_empty_store_knows_nothing(store: ResultStore) -> None:
    assert store.studies() == ()
    assert store.plan("first") is None
    assert store.complete(["t0"]) == frozenset()
    assert store.get("t0") is None
    assert store.predictions("t0") is None
    assert store.artifact("t0", "checkpoint.safetensors") is None
    assert store.files("t0") == ()


def test_a_plan_comes_back_as_it_was_given(store: ResultStore, reopen: Reopen) -> None:
    store.open_study(plan("second"))
    store.open_study(plan("first"))
    assert reopen().studies() == ("first", "second")
    assert reopen().plan("first") == plan("first")
    assert reopen().plan("third") is None


def test_the_newest_plan_of_a_name_counts(opened: ResultStore, reopen: Reopen) -> None:
    changed = plan(title="changed", trials={"t0": spec(), "t1": spec(seed=1)})
    reopen().open_study(changed)
    assert reopen().plan("first") == changed
    assert reopen().studies() == ("first",)


def test_a_finished_record_comes_back_to_the_last_digit(opened: ResultStore, reopen: Reopen) -> None:
    keep(opened, mae=0.1 + 0.2)
    found = reopen().get("t0")
    assert found is not None
    assert found.metrics["test/mae"] == 0.1 + 0.2
    assert math.isnan(found.metrics["test/corr"])
    assert found.model_dump_json() == result("t0", 0.1 + 0.2).model_dump_json()


def test_infinite_metrics_are_kept(opened: ResultStore, reopen: Reopen) -> None:
    opened.begin("first", "t0", spec())
    opened.log_epochs("t0", [epoch(0, **{"train/task_l1": float("inf"), "val/mae": float("nan")})])
    opened.finish(result(mae=float("inf")), None, {})
    found = reopen().get("t0")
    assert found is not None
    assert found.metrics["test/mae"] == math.inf


def test_predictions_come_back_bit_for_bit(opened: ResultStore, reopen: Reopen) -> None:
    keep(opened)
    found = reopen().predictions("t0")
    assert found is not None
    pd.testing.assert_frame_equal(found, predictions(), check_exact=True)


def test_predictions_with_other_columns_are_refused(opened: ResultStore) -> None:
    opened.begin("first", "t0", spec())
    with pytest.raises(ValueError, match="video_id"):
        opened.finish(result(), predictions().drop(columns="video_id"), {})
    assert opened.complete(["t0"]) == frozenset()


def test_files_are_copied_under_their_artifact_name(
    opened: ResultStore, reopen: Reopen, tmp_path: Path
) -> None:
    source = tmp_path / "last.bin"
    source.write_bytes(b"weights")
    opened.begin("first", "t0", spec())
    opened.finish(result(), None, {"checkpoint.safetensors": source})
    source.unlink()
    again = reopen()
    kept = again.artifact("t0", "checkpoint.safetensors")
    assert kept is not None
    assert kept.read_bytes() == b"weights"
    assert again.artifact("t0", "other.bin") is None
    assert again.files("t0") == ("checkpoint.safetensors",)
    assert reopen().predictions("t0") is None


def test_only_what_was_asked_for_and_finished_well_is_complete(
    opened: ResultStore, reopen: Reopen
) -> None:
    keep(opened, "good")
    keep(opened, "not asked for")
    opened.begin("first", "bad", spec())
    opened.finish(failed("bad"), None, {})
    opened.begin("first", "running", spec())
    assert reopen().complete(["good", "bad", "running", "unknown"]) == {"good"}
    assert reopen().complete([]) == frozenset()


def test_a_failure_is_a_result_without_files(opened: ResultStore, reopen: Reopen) -> None:
    opened.begin("first", "t0", spec())
    opened.finish(failed(), predictions(), {})
    found = reopen().get("t0")
    assert found is not None
    assert found.failure is not None
    assert found.failure.message == "loss is NaN"
    assert reopen().predictions("t0") is None


@pytest.mark.parametrize("last_is_good", [True, False])
def test_the_newest_result_of_a_trial_counts(
    opened: ResultStore, reopen: Reopen, *, last_is_good: bool
) -> None:
    records = [failed(), result()] if last_is_good else [result(), failed()]
    for record in records:
        opened.begin("first", "t0", spec())
        opened.finish(record, predictions(), {})
    found = reopen().get("t0")
    assert found is not None
    assert found.state == records[-1].state
    assert reopen().complete(["t0"]) == ({"t0"} if last_is_good else set())
    assert (reopen().predictions("t0") is not None) == last_is_good


def test_an_unfinished_run_hides_no_earlier_result(opened: ResultStore, reopen: Reopen) -> None:
    keep(opened, mae=0.5)
    opened.begin("first", "t0", spec())
    opened.log_epochs("t0", [epoch(0, **{"val/mae": 0.4})])
    found = reopen().get("t0")
    assert found is not None
    assert found.metrics["test/mae"] == 0.5


def test_a_trial_of_one_study_is_found_from_every_other(opened: ResultStore, reopen: Reopen) -> None:
    opened.open_study(plan("second"))
    keep(opened)
    assert reopen().complete(["t0"]) == {"t0"}


def test_a_trial_begins_only_in_an_open_study(store: ResultStore) -> None:
    with pytest.raises(ValueError, match="study 'first' is not open"):
        store.begin("first", "t0", spec())


def test_a_trial_that_has_not_begun_takes_no_numbers(opened: ResultStore) -> None:
    with pytest.raises(ValueError, match="'t0' has not begun"):
        opened.log_epochs("t0", [])
    with pytest.raises(ValueError, match="'t0' has not begun"):
        opened.finish(result(), None, {})


def test_the_state_of_a_trial_is_that_of_its_newest_result(opened: ResultStore, reopen: Reopen) -> None:
    pruned = result("pruned", state="pruned", metrics={}, efficiency=None)
    for record in (result("good"), failed("bad"), pruned, failed("again"), result("again")):
        opened.begin("first", record.trial_id, spec())
        opened.finish(record, None, {})
    opened.begin("first", "running", spec())
    asked = ["good", "bad", "pruned", "again", "running", "unknown"]
    assert reopen().states(asked) == {
        "good": "complete",
        "bad": "failed",
        "pruned": "pruned",
        "again": "complete",
    }
    assert reopen().states([]) == {}
    assert reopen().complete(asked) == {"good", "again"}


def test_a_pruned_trial_has_a_record_and_no_files(opened: ResultStore, reopen: Reopen) -> None:
    pruned = result(state="pruned", metrics={}, efficiency=None)
    opened.begin("first", "t0", spec())
    opened.finish(pruned, predictions(), {})
    found = reopen().get("t0")
    assert found is not None
    assert found.model_dump_json() == pruned.model_dump_json()
    assert reopen().predictions("t0") is None


def test_a_forgotten_trial_never_ran(opened: ResultStore, reopen: Reopen) -> None:
    for _ in range(2):
        keep(opened, "t0")
    keep(opened, "t1")
    opened.begin("first", "t0", spec())
    opened.forget(["t0", "unknown"])
    assert reopen().states(["t0", "t1"]) == {"t1": "complete"}
    assert reopen().get("t0") is None
    keep(opened, "t0")
    assert reopen().complete(["t0"]) == {"t0"}


def test_beginning_again_what_is_under_way_changes_nothing(opened: ResultStore, reopen: Reopen) -> None:
    opened.begin("first", "t0", spec())
    opened.log_epochs("t0", [epoch(0, **{"val/mae": 0.4})])
    opened.begin("first", "t0", spec())
    opened.log_epochs("t0", [epoch(0, **{"val/mae": 0.4}), epoch(1, **{"val/mae": 0.3})])
    opened.finish(result(), None, {})
    assert reopen().complete(["t0"]) == {"t0"}


def test_an_abandoned_trial_takes_no_more_numbers(opened: ResultStore) -> None:
    opened.begin("first", "t0", spec())
    opened.abandon("t0")
    opened.abandon("unknown")
    with pytest.raises(ValueError, match="'t0' has not begun"):
        opened.log_epochs("t0", [])


def test_nothing_is_said_on_the_way(
    opened: ResultStore, reopen: Reopen, capfd: pytest.CaptureFixture[str]
) -> None:
    keep(opened)
    assert reopen().predictions("t0") is not None
    assert capfd.readouterr() == ("", "")


def test_all_trials_are_listed_with_how_they_ended(opened: ResultStore, reopen: Reopen) -> None:
    for trial in ("t0", "t1", "t2", "t3"):
        opened.begin("first", trial, spec())
    opened.finish(result("t0"), None, {})
    opened.finish(failed("t1"), None, {})
    opened.abandon("t3")
    opened.begin("first", "t1", spec())
    assert opened.trials() == {"t0": "complete", "t1": "failed", "t2": None}
    assert reopen().trials() == opened.trials()
    opened.forget(["t1", "t2"])
    assert opened.trials() == {"t0": "complete"}
