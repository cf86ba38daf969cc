import json
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import optuna
import pytest
from searches import planner, result, run_out, search, some_fail_or_are_given_up

from harness.spec import BadInput
from harness.store import StoreFault
from harness.store.claims import MemoryClaims
from harness.study.search.agreement import disagreements
from harness.study.search.journal import KernelLock

JOURNAL = "optuna.journal"


def optunas(study, url=None, path=None):
    """What Optuna itself says is in the journal or the database."""
    backend = url or optuna.storages.journal.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(path))
    )
    return optuna.load_study(study_name=study, storage=backend)


def finished_search(folder, **settings):
    study = search(**settings)
    tuned = planner(study, folder)
    return study, tuned, run_out(tuned, some_fail_or_are_given_up)


def a_round_later(tuned):
    results = {trial: result(spec, trial) for trial, spec in tuned.plan.trials.items()}
    return tuned.advance(results.get)


def numbers(study, folder):
    return [trial.user_attrs["number"] for trial in optunas(study, path=folder / JOURNAL).get_trials()]


def test_optuna_has_a_study_an_arm_with_every_trial_under_its_number(tmp_path):
    _, tuned, store = finished_search(tmp_path)
    for arm in ("alone", "both_steps"):
        kept = optunas(f"toy/{arm}", path=tmp_path / JOURNAL)
        mine = [trial for trial in tuned.plan.searches if trial.arm == arm]
        assert kept.direction.name == "MINIMIZE"
        assert [trial.params for trial in kept.get_trials()] == [trial.params for trial in mine]
        for trial, planned in zip(kept.get_trials(), mine, strict=True):
            assert trial.number == planned.number
            assert trial.user_attrs["trial_id"] == planned.trial_id
            assert trial.user_attrs["arm"] == arm
            found = store.get(planned.trial_id)
            states = {"complete": "COMPLETE", "failed": "FAIL", "pruned": "PRUNED"}
            assert trial.state.name == states[found.state]
            assert trial.value == found.metrics.get("val/mae")
            assert trial.intermediate_values == {
                record.epoch + 1: record.metrics["val/mae"] for record in found.epochs
            }
    assert disagreements(tuned.plan, store, tuned._history) == ()


def test_a_round_is_written_when_it_is_over_and_once(tmp_path):
    tuned = planner(search(), tmp_path)
    assert not (tmp_path / JOURNAL).exists()
    for expected in (4, 8, 12):
        assert a_round_later(tuned)
        assert tuned.record()
        assert numbers("toy/alone", tmp_path) == list(range(expected))


def test_whoever_has_the_claim_writes_and_the_other_later(tmp_path):
    claims = MemoryClaims()
    peer = claims.peer()
    tuned = planner(search(), tmp_path, claims)
    assert peer.take("optuna/toy/alone")
    a_round_later(tuned)
    assert not tuned.record()
    assert numbers("toy/both_steps", tmp_path) == [0, 1, 2, 3]
    peer.release("optuna/toy/alone")
    assert tuned.record()
    assert numbers("toy/alone", tmp_path) == [0, 1, 2, 3]
    assert claims.live() == {}


def test_a_round_written_in_part_is_completed(tmp_path):
    study, tuned, store = finished_search(tmp_path / "whole")
    lines = (tmp_path / "whole" / JOURNAL).read_text().splitlines(keepends=True)
    assert len(lines) > 20
    for count in range(1, len(lines), 6):
        folder = tmp_path / f"cut {count}"
        folder.mkdir()
        (folder / JOURNAL).write_text("".join(lines[:count]))
        again = planner(study, folder)
        run_out(again, store=store)
        assert again.plan == tuned.plan
        assert again.said == ()
        assert numbers("toy/alone", folder) == list(range(12))
        assert disagreements(again.plan, store, again._history) == ()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda line: line[: len(line) // 2] + "\n", "line 3 is not JSON"),
        (lambda line: "[1, 2]\n", "line 3 is no record of Optuna's"),
        (lambda line: '{"op_code": 4, "worker_id": "x"}\n', "does not follow"),
    ],
)
def test_a_damaged_journal_is_named_kept_and_written_anew(damage, words, tmp_path):
    study, tuned, store = finished_search(tmp_path)
    journal = tmp_path / JOURNAL
    lines = journal.read_text().splitlines(keepends=True)
    lines[2] = damage(lines[2])
    journal.write_text("".join(lines))
    again = planner(study, tmp_path)
    run_out(again, store=store)
    (line,) = again.said
    assert str(journal) in line
    assert words in line
    assert f"kept as {JOURNAL}.corrupt-1" in line
    assert "\n" not in line
    assert (tmp_path / f"{JOURNAL}.corrupt-1").read_text() == "".join(lines)
    assert again.plan == tuned.plan
    assert disagreements(again.plan, store, again._history) == ()
    assert planner(study, tmp_path).said == ()


def test_a_last_line_that_is_cut_is_found_before_anything_is_written_behind_it(tmp_path):
    study, tuned, store = finished_search(tmp_path)
    journal = tmp_path / JOURNAL
    whole = journal.read_text()
    journal.write_text(whole[:-9])
    again = planner(study, tmp_path)
    run_out(again, store=store)
    count = len(whole.splitlines())
    assert f"line {count} is cut off" in again.said[0]
    assert again.plan == tuned.plan
    assert disagreements(again.plan, store, again._history) == ()


def test_damage_during_a_run_costs_no_arm_its_history(tmp_path):
    tuned = planner(search(), tmp_path)
    a_round_later(tuned)
    with (tmp_path / JOURNAL).open("a") as journal:
        journal.write('{"op_co')
    a_round_later(tuned)
    assert len(tuned.said) == 1
    for arm in ("alone", "both_steps"):
        assert numbers(f"toy/{arm}", tmp_path) == list(range(8))


@contextmanager
def files_no_larger_than(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_line_and_the_search_goes_on(tmp_path):
    tuned = planner(search(), tmp_path)
    a_round_later(tuned)
    size = (tmp_path / JOURNAL).stat().st_size
    with files_no_larger_than(size + 100):
        assert a_round_later(tuned)
        assert not tuned.record()
    assert str(tmp_path / JOURNAL) in tuned.fault
    assert "File too large" in tuned.fault
    assert "\n" not in tuned.fault
    assert len(tuned.plan.searches) == 24
    assert tuned.record()
    assert tuned.fault == ""
    assert numbers("toy/alone", tmp_path) == list(range(8))


def test_a_place_that_cannot_be_read_is_a_fault_of_the_store(tmp_path):
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(StoreFault, match="Is a directory"):
        planner(search(), tmp_path)


def test_a_killed_writer_leaves_no_lock(tmp_path):
    code = (
        "import sys, filelock; filelock.FileLock(sys.argv[1]).acquire(); "
        "print('held', flush=True); sys.stdin.read()"
    )
    journal = tmp_path / JOURNAL
    with subprocess.Popen(
        [sys.executable, "-c", code, f"{journal}.lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        lock = KernelLock(journal)
        assert lock.acquire()
        lock.release()


def test_another_search_under_the_same_name_is_kept_beside_the_new_one(tmp_path):
    _, first, _ = finished_search(tmp_path, trials=4)
    changed = search(trials=4, sampler={"name": "random"})
    second = planner(changed, tmp_path)
    assert all(arm.history == [] for arm in second._arms)
    run_out(second)
    aside = f"toy/alone ({first._arms[0].search.identity})"
    kept = optunas(aside, path=tmp_path / JOURNAL).get_trials()
    assert [trial.params for trial in kept] == [trial.params for trial in first._arms[0].history]
    assert numbers("toy/alone", tmp_path) == [0, 1, 2, 3]


@pytest.mark.slow  # Optuna's migrations
def test_a_database_serves_as_well_as_the_journal(tmp_path):
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    study, tuned, store = finished_search(tmp_path, storage=url, trials=8)
    assert not (tmp_path / JOURNAL).exists()
    kept = optunas("toy/alone", url=url).get_trials()
    assert [trial.user_attrs["number"] for trial in kept] == list(range(8))
    again = planner(study, tmp_path)
    assert again.plan == tuned.plan
    assert all(arm.is_over for arm in again._arms)
    assert disagreements(again.plan, store, again._history) == ()


def test_a_database_that_is_not_there_is_one_line(tmp_path):
    url = f"sqlite:///{tmp_path / 'no folder' / 'optuna.db'}"
    with pytest.raises(StoreFault, match="unable to open database file") as caught:
        planner(search(storage=url), tmp_path)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "nosuch://me:secret@host/name"])
def test_what_is_no_database_url_is_refused_by_its_key_and_without_its_password(url, tmp_path):
    with pytest.raises(BadInput) as caught:
        planner(search(storage=url), tmp_path)
    assert caught.value.key == "search.storage"
    assert url.replace("me:secret", "***") in caught.value.message
    assert "\n" not in caught.value.message


def test_a_journal_is_json_by_lines(tmp_path):
    finished_search(tmp_path, trials=4)
    for line in (tmp_path / JOURNAL).read_text().splitlines():
        assert isinstance(json.loads(line), dict)
