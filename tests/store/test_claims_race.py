from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from claiming import start

from harness.store.claims import Claims, open_claims
from harness.store.claims.intents import Intents
from harness.store.claims.server import ServerClaims

HOLD = """
import sys
from pathlib import Path
from harness.store.claims import open_claims

claims = open_claims(Path(sys.argv[1]))
print(*(name for name in "abc" if claims.take(name)), flush=True)
sys.stdin.read()
"""


def race(opened: Callable[[], Claims], processes: int, names: int) -> Counter[str]:
    """How often each name was won by processes that open the claims and take at the same moment."""
    fork = multiprocessing.get_context("fork")
    line, finish, took = fork.Barrier(processes), fork.Event(), fork.SimpleQueue()

    def run() -> None:
        line.wait(30)
        claims = opened()
        took.put([name for name in map(str, range(names)) if claims.take(name)])
        # The claims of a process that has ended would be anyone's.
        finish.wait(60)

    racing = [fork.Process(target=run, daemon=True) for _ in range(processes)]
    for process in racing:
        process.start()
    try:
        won = [took.get() for _ in racing]
    finally:
        finish.set()
        for process in racing:
            process.join(30)
    assert [process.exitcode for process in racing] == [0] * processes
    return Counter(name for taken in won for name in taken)


def once_each(names: int) -> dict[str, int]:
    return {str(name): 1 for name in range(names)}


def test_of_four_processes_exactly_one_gets_each_of_200_names(tmp_path: Path) -> None:
    assert race(lambda: open_claims(tmp_path), 4, 200) == once_each(200)


def test_a_killed_owners_claims_can_be_taken_at_once_by_another_process(tmp_path: Path) -> None:
    process = start(HOLD, str(tmp_path))
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "a b c\n"
        claims = open_claims(tmp_path)
        assert not claims.take("a")
        assert set(claims.live()) == set("abc")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert claims.live() == {}
    assert all(claims.take(name) for name in "abc")


@pytest.mark.slow
def test_through_mlflow_each_name_is_won_once(tmp_path: Path, empty_database: Path) -> None:
    from mlflow import MlflowClient

    tracking = f"sqlite:///{shutil.copyfile(empty_database, tmp_path / 'mlflow.db')}"

    def opened() -> Claims:
        return ServerClaims(Intents(MlflowClient(tracking)), patience_seconds=20)

    assert race(opened, 3, 30) == once_each(30)


@pytest.mark.slow
def test_behind_a_real_server_each_name_is_won_once(tmp_path: Path, server: str) -> None:
    assert race(lambda: open_claims(tmp_path, server), 4, 50) == once_each(50)


def server_programs() -> Path | None:
    """Where PostgreSQL's server programs are, if it is installed."""
    on_path = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(on_path).parent if on_path else installed[-1].parent if installed else None


@pytest.fixture
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database, whose server listens on a socket in its folder only."""
    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    folder = tmp_path_factory.mktemp("pg")
    # The server refuses to run as root, and a path of pytest's may be root's alone.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        for parent in (folder, folder.parent, folder.parent.parent):
            parent.chmod(0o755)
        shutil.chown(folder, "postgres")

    def run(program: str, *arguments: str) -> None:
        subprocess.run([*user, programs / program, *arguments], check=True, cwd=folder, timeout=60)

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "us", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg2://us@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.mark.slow
def test_on_postgresql_four_processes_share_200_names(tmp_path: Path, postgresql: str) -> None:
    assert race(lambda: open_claims(tmp_path, postgresql), 4, 200) == once_each(200)


@pytest.mark.slow
def test_on_postgresql_the_time_is_the_servers(
    tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, yours = open_claims(tmp_path, postgresql), open_claims(tmp_path, postgresql)
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert mine.take("a")
    assert mine.live()["a"].taken > 1e9
    monkeypatch.setattr("time.time", lambda: 1e12)
    assert not yours.take("a")
    mine.begin("a")
    assert mine.beat() == frozenset()
    assert yours.live()["a"].is_running
    assert yours.remove_dead() == 0
    mine.release("a")
    assert yours.take("a")
