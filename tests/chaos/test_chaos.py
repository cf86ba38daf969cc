"""A study whose runner and workers are killed at fifty moments ends as if nobody had touched it."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from studies import OPTIMISATION, ablation, write

from harness.registry import STUDENTS, discover
from harness.store import Outbox, open_store
from harness.store.claims import open_claims
from harness.study.search.agreement import disagreements
from harness.study.search.history import History

pytestmark = pytest.mark.chaos

KILLS = 50
MEASURED = ("latency", "seconds")
ROOT = Path(__file__).resolve().parents[2]


def study(folder: Path) -> Path:
    """30 trials: a search of 10 for each of two arms, three seeds of both, and their teachers."""
    discover(["toy"])
    content = ablation("kind=search", "seeds=[0,1,2]", "data.train=320", "runtime.latency_seconds=0.02")
    budget = {**OPTIMISATION, "max_epochs": 60, "patience": 60}
    for role in ("teacher", "student"):
        content["base"][role]["optimisation"] = budget
    del content["base"]["baseline"]
    content["arms"] = {name: content["arms"][name] for name in ("alone", "both_steps")}
    content["search"] = {
        "trials": 10,
        "at_once": 2,
        "pruner": {"name": "median", "startup_trials": 3},
        # The sizes stay as they are, so that every trial takes its time.
        "space": {f"student.model.{size}": None for size in STUDENTS.get("text_encoder").space},
    }
    # Whoever is killed fifty times may well be killed three times in one trial.
    content["launch"] = {"name": "processes", "workers": 2, "retries": 1000}
    return write(content, folder / "toy.yaml")


def start(file: Path, out: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "harness", "run", str(file), "--plugin", "toy", "--json"]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'support'}",
        "ADVISERBENCH_CHAOS": str(out),
    }
    with log.open("ab") as stdout, log.with_suffix(".err").open("ab") as stderr:
        return subprocess.Popen(
            [*command, "--out", str(out)], env=environment, cwd=out.parent, stdout=stdout, stderr=stderr
        )


def alive(out: Path) -> dict[int, int]:
    """The processes of a run and their parents: whoever inherited its environment."""
    mark = f"ADVISERBENCH_CHAOS={out}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if state not in "ZX":
                    found[int(folder.name)] = int(parent)
        except OSError:
            continue
    return found


def wait_until_gone(out: Path, seconds: float = 20) -> dict[int, int]:
    end = time.monotonic() + seconds
    while (left := alive(out)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def tormented(file: Path, out: Path, log: Path) -> Counter[str]:
    """Runs the study to its end, killing the runner or a worker KILLS times on the way."""
    draw, killed = random.Random(4), Counter()
    process = start(file, out, log)
    while killed.total() < KILLS:
        # Half of the moments lie in the start-up, which takes some seconds, the others after it.
        try:
            process.wait(draw.uniform(0, 8) if draw.random() < 0.5 else draw.uniform(8, 16))
        except subprocess.TimeoutExpired:
            workers = [pid for pid, parent in alive(out).items() if parent == process.pid]
            if workers and draw.random() < 0.7:
                killed["worker"] += 1
                os.kill(draw.choice(workers), signal.SIGKILL)
                continue
            killed["runner"] += 1
            process.kill()
            process.wait()
            assert wait_until_gone(out) == {}, "processes outlive their runner"
            process = start(file, out, log)
        else:
            pytest.fail(f"ended with {process.returncode} after {killed}: {tail(log)}")
    assert process.wait(1200) == 0, tail(log)
    return killed


def tail(log: Path) -> str:
    return log.with_suffix(".err").read_text()[-2000:]


def unmeasured(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {key: value for key, value in row.items() if not any(word in key for word in MEASURED)}
        for row in rows
    ]


def test_fifty_kills_change_nothing_but_the_time(tmp_path: Path) -> None:
    file = study(tmp_path)
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    process = start(file, calm, tmp_path / "calm.log")
    assert process.wait(1800) == 0, tail(tmp_path / "calm.log")
    killed = tormented(file, wild, tmp_path / "wild.log")
    print(f"killed: {dict(killed)}")
    assert wait_until_gone(wild) == {}

    stores = {out: open_store(out, create=False) for out in (calm, wild)}
    plan = stores[calm].plan("toy")
    assert stores[wild].plan("toy") == plan
    assert len(plan.trials) == 30
    for name in ("table.csv", "search.csv"):
        whole, disturbed = (unmeasured(out / "reports" / "toy" / name) for out in (calm, wild))
        assert disturbed == whole
    for member in plan.members:
        scores = [store.predictions(member.trial_id)["score"].tolist() for store in stores.values()]
        assert scores[0] == scores[1]

    # No trial was run to its end twice, as MLflow has it and as the runs told it.
    assert finished_runs(wild) == dict.fromkeys(plan.trials, 1)
    ends = Counter(told["trial"] for told in events(tmp_path / "wild.log") if told["event"] == "ended")
    assert max(ends.values()) == 1

    # MLflow and Optuna agree, nothing is left behind.
    claims = open_claims(wild, None)
    history = History(None, wild / "optuna.journal", lambda: claims)
    assert disagreements(plan, stores[wild], history) == ()
    assert claims.live() == {}
    assert Outbox(wild / "outbox").ids() == ()
    assert [path for path in (wild / "work").iterdir() if path.is_dir()] == []


def finished_runs(out: Path) -> Counter[str]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{out / 'adviserbench.db'}")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(ids, "attributes.status = 'FINISHED'", max_results=1000)
    trials = [run.data.tags.get("adviserbench.trial_id") for run in runs]
    return Counter(trial for trial in trials if trial is not None)


def events(log: Path) -> list[dict[str, object]]:
    """What the runs told as JSON lines; a killed one may leave half a line."""
    told = []
    for line in log.read_text().splitlines():
        try:
            told.append(json.loads(line))
        except ValueError:
            continue
    return told
