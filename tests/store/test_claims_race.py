from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from claiming import once_each, race, start

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
        return ServerClaims(Intents(MlflowClient(tracking)), patience_seconds=60)

    assert race(opened, 3, 30) == once_each(30)


@pytest.mark.slow
def test_behind_a_real_server_each_name_is_won_once(server: str) -> None:
    def opened() -> Claims:
        return ServerClaims(Intents.connect(server), patience_seconds=60)

    assert race(opened, 4, 30) == once_each(30)
