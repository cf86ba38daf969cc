"""Worker processes: what they tell, how they die, and that nothing is left of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import launching
import pytest
from launching import ends, is_running, order, processes, until

from harness.store import Outbox
from harness.study.launch.base import Began, Ended, Epoch, Lost, Stuck


@pytest.fixture(scope="module")
def pair():
    launcher = processes(2, threads=3)
    yield launcher
    launcher.stop()


def pid_in(path):
    until(path.exists)
    return int(path.read_text(encoding="utf-8"))


def test_every_order_ends_in_exactly_one_event_whatever_becomes_of_it(pair, tmp_path):
    kinds = {
        "epochs=3 commit": Ended, "raise=BadInput": Stuck, "full": Stuck, "kill": Lost,
        "commit kill": Ended, "nothing": Ended, "commit=failed kill": Lost,
    }  # fmt: skip
    orders = [order(tmp_path, f"t{n}", does) for n, does in enumerate(kinds)]
    events = ends(pair, orders)
    found = {one.trial_id: [e for e in events if e.trial_id == one.trial_id] for one in orders}
    for one in orders:
        told = found[one.trial_id]
        assert isinstance(told[0], Began)
        assert [type(e) for e in told if isinstance(e, Ended | Lost | Stuck)] == [kinds[one.study]]
        assert isinstance(told[-1], Ended | Lost | Stuck)
        assert len({e.worker for e in told}) == 1
    assert [e.epoch for e in found["t0"] if isinstance(e, Epoch)] == [0, 1, 2]
    assert found["t0"][1].metrics == {"val/mae": 1.0}
    assert "No space left" in found["t2"][-1].reason


def test_a_lost_worker_says_how_it_died_and_its_last_words(pair, tmp_path):
    deaths = {
        "say=goodbye kill": "was killed by SIGKILL; goodbye",
        "exit=7": "exited with code 7",
        "segfault": "was killed by SIGSEGV; Fatal Python error: Segmentation fault",
        "raise=KeyError": "exited with code 1; KeyError: 'a bug'",
    }
    for n, (does, reason) in enumerate(deaths.items()):
        [*_, lost] = ends(pair, [order(tmp_path, f"t{n}", does)])
        assert lost.reason == f"{lost.worker} {reason}"


def test_two_orders_run_at_a_time_and_a_worker_is_kept_for_the_next(pair, tmp_path):
    # Each waits for what the other writes.
    for n in range(2):
        pair.start(order(tmp_path, f"t{n}", f"file=is{n} sleep=600"))
    pids = {pid_in(tmp_path / f"is{n}.pid") for n in range(2)}
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    lost = []
    while sum(isinstance(e, Lost) for e in lost) < 2:
        pair.wait(5, lost.append)
    ends(pair, [order(tmp_path, f"kept{n}", "commit") for n in range(6)])
    notes = [Outbox(tmp_path / "outbox").result(f"kept{n}") for n in range(6)]
    assert len({result.notes[0] for result in notes}) <= 2
    assert {result.environment.threads for result in notes} == {3}


def test_a_process_that_a_worker_started_dies_with_it_though_it_holds_its_line_open(pair, tmp_path):
    for kind in ("forked", "spawned"):
        folder = tmp_path / kind
        [*_, lost] = ends(pair, [order(folder, "t", f"child={kind} kill")])
        assert isinstance(lost, Lost)
        child = pid_in(folder / "child.pid")
        until(lambda child=child: not is_running(child))


def test_stop_ends_workers_that_hold_the_interpreter_and_what_they_started(tmp_path):
    launcher = processes(2)
    launcher.start(order(tmp_path, "a", "child=forked file=a hang"))
    launcher.start(order(tmp_path, "b", "file=b sleep=600"))
    *workers, child = [pid_in(tmp_path / f"{name}.pid") for name in ("a", "b", "child")]
    launcher.stop()
    assert not any(map(is_running, workers))
    # Nobody can wait for the child of a dead process, which the kernel was told to end.
    until(lambda: not is_running(child))


@pytest.mark.parametrize(
    "is_guarded", [True, pytest.param(False, id="guard_killed_too", marks=pytest.mark.slow)]
)
def test_a_killed_runner_leaves_no_orphan(tmp_path, is_guarded):
    script = (
        "from pathlib import Path; from launching import order, processes; import json\n"
        "launcher, out = processes(2), Path.cwd()\n"
        "launcher.start(order(out, 'a', 'child=forked file=a hang'))\n"
        "launcher.start(order(out, 'b', 'file=b sleep=600'))\n"
        "out.joinpath('guard.pid').write_text(str(launcher._guard._process.pid))\n"
        "launcher.wait(600, print); launcher.wait(600, print); launcher.wait(600, print)\n"
    )
    path = os.pathsep.join(map(str, (Path(launching.__file__).parent, Path.cwd())))
    # The script has no guard for its main part, and does not need one.
    (tmp_path / "study.py").write_text(script, encoding="utf-8")
    runner = subprocess.Popen(
        [sys.executable, "study.py"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}
    )
    pids = {name: pid_in(tmp_path / f"{name}.pid") for name in ("guard", "a", "b", "child")}
    if not is_guarded:
        os.kill(pids["guard"], signal.SIGKILL)
    runner.kill()
    runner.wait()
    left = {name for name in pids if is_guarded or name != "child"}
    until(lambda: not any(is_running(pids[name]) for name in left))
    if not is_guarded:
        os.kill(pids["child"], signal.SIGKILL)


def test_ctrl_c_reaches_the_runner_only(pair, tmp_path):
    pair.start(order(tmp_path, "t", "file=me sleep=0.1 commit"))
    os.kill(pid_in(tmp_path / "me.pid"), signal.SIGINT)
    assert isinstance(ends_of(pair), Ended)


def ends_of(launcher):
    events = []
    while not events or not isinstance(events[-1], Ended | Lost | Stuck):
        launcher.wait(5, events.append)
    return events[-1]


def test_a_log_that_cannot_be_written_is_no_fault_of_the_trial(tmp_path):
    (tmp_path / "work").write_text("a file where the folder should be", encoding="utf-8")
    launcher = processes(1)
    [stuck] = ends(launcher, [order(tmp_path, "t", "commit")])
    assert isinstance(stuck, Stuck)
    assert "work" in stuck.reason
    launcher.stop()


def test_what_a_worker_prints_is_in_its_log_and_nowhere_else(pair, tmp_path, capfd):
    ends(pair, [order(tmp_path, "t", "say=a-warning commit exit=1")])
    assert capfd.readouterr() == ("", "")
