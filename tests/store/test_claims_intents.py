from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from claiming import of_another_host

from harness.store.claims import LIFETIME_SECONDS
from harness.store.claims.intents import Intent, Intents
from harness.store.claims.server import CLOCK_MARGIN_SECONDS, ServerClaims


@pytest.fixture(scope="session")
def intents_template(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A database that has the experiment of claims already."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    shutil.copyfile(empty_database, path)
    Intents(MlflowClient(f"sqlite:///{path}"))
    return path


@pytest.fixture
def intents(tmp_path: Path, intents_template: Path) -> Intents:
    from mlflow import MlflowClient

    return Intents(
        MlflowClient(f"sqlite:///{shutil.copyfile(intents_template, tmp_path / 'mlflow.db')}")
    )


class Interrupted(Intents):
    """Intents that do something else before they do what they are asked for."""

    def __init__(self, inner: Intents) -> None:
        self.__dict__.update(inner.__dict__)
        self.before: dict[str, Callable[[], Any]] = {}

    def _meanwhile(self, what: str) -> None:
        self.before.pop(what, lambda: None)()

    def write(self, *given: Any) -> str:
        self._meanwhile("write")
        run_id = super().write(*given)
        self._meanwhile("written")
        return run_id

    def find(self, name: str | None = None) -> list[Intent]:
        found = super().find(name)
        self._meanwhile("found")
        return found


def test_of_two_that_looked_before_either_wrote_only_one_wins(intents: Intents) -> None:
    slow = Interrupted(intents)
    mine, yours = ServerClaims(slow, patience_seconds=0.1), ServerClaims(intents)
    won: list[bool] = []
    slow.before["write"] = lambda: won.append(yours.take("a"))
    won.append(mine.take("a"))
    assert won == [True, False]
    assert mine.live()["a"].owner == yours.owner
    assert len(intents.find("a")) == 1


@pytest.mark.parametrize("attempt", range(4))
def test_of_two_that_both_wrote_before_either_read_the_smaller_run_id_wins(
    intents: Intents, attempt: int
) -> None:
    # On a busy machine one would else look when the other has written, and write nothing.
    both_looked, both_wrote = threading.Barrier(2), threading.Barrier(2)
    owners = []
    for _ in range(2):
        waiting = Interrupted(intents)
        waiting.before["write"] = lambda: both_looked.wait(60)
        waiting.before["written"] = lambda: both_wrote.wait(60)
        owners.append(ServerClaims(waiting, patience_seconds=60))
    won: dict[str, bool] = {}

    def take(claims: ServerClaims) -> None:
        won[claims.owner.token] = claims.take("a")

    threads = [threading.Thread(target=take, args=(claims,)) for claims in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won.values()) == [False, True]
    (left,) = intents.find("a")
    assert won[left.claim.owner.token]


def test_an_owner_that_was_taken_for_dead_while_it_was_taking_does_not_win(intents: Intents) -> None:
    slow = Interrupted(intents)
    late = ServerClaims(slow, of_another_host(), lifetime_seconds=-CLOCK_MARGIN_SECONDS - 1)
    mine = ServerClaims(intents)
    won: list[bool] = []

    def overtake() -> None:
        won.append(mine.take("a"))
        mine.release("a")

    slow.before["written"] = overtake
    won.append(late.take("a"))
    assert won == [True, False]
    assert intents.find("a") == []


def test_a_rival_that_hangs_is_waited_for_in_vain_and_nothing_is_left_behind(intents: Intents) -> None:
    slow = Interrupted(intents)
    claims = ServerClaims(slow, patience_seconds=0.05)
    hanging: list[str] = []

    def announce() -> None:
        hanging.append(intents.write("a", of_another_host(), LIFETIME_SECONDS))

    slow.before["write"] = announce
    assert not claims.take("a")
    assert [intent.run_id for intent in intents.find("a")] == hanging
    assert claims.live() == {}


def test_an_intent_whose_writer_never_heard_of_it_does_not_stand_in_his_way(intents: Intents) -> None:
    claims = ServerClaims(intents)
    intents.write("a", claims.owner, LIFETIME_SECONDS)
    assert claims.take("a")
    assert len(intents.find("a")) == 1


def test_clocks_may_differ_by_the_margin(intents: Intents) -> None:
    behind = ServerClaims(intents, of_another_host(), lifetime_seconds=-CLOCK_MARGIN_SECONDS + 30)
    assert behind.take("a")
    assert not ServerClaims(intents).take("a")
    assert set(ServerClaims(intents).live()) == {"a"}


def test_a_run_that_is_no_intent_is_left_alone(intents: Intents) -> None:
    stranger = intents._client.create_run(intents._experiment, tags={"adviserbench.claim": "?"})
    claims = ServerClaims(intents)
    assert claims.take("a")
    assert set(claims.live()) == {"a"}
    assert claims.remove_dead() == 0
    assert intents._client.get_run(stranger.info.run_id).info.lifecycle_stage == "active"
