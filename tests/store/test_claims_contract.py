from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
from claiming import Open, of_a_dead_process, of_another_host

from harness.store.claims import LIFETIME_SECONDS, Claims, MemoryClaims
from harness.store.claims.intents import Intents
from harness.store.claims.server import ServerClaims
from harness.store.claims.sql import SqlClaims

GONE = -1000.0
"""A lifetime that is over before it begins, whatever margin is given to clocks."""


@pytest.fixture(scope="session")
def empty_intents(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A database that has the experiment of claims already."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("intents") / "mlflow.db"
    shutil.copyfile(empty_database, path)
    Intents(MlflowClient(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["memory", "sqlite", "mlflow", pytest.param("server", marks=pytest.mark.slow)])
def open_as(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "memory":
        first = MemoryClaims()
        return lambda owner=None, seconds=LIFETIME_SECONDS: _lasting(first.peer(owner), seconds)
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'claims.db'}"
        return lambda owner=None, seconds=LIFETIME_SECONDS: SqlClaims(url, owner, seconds)
    if request.param == "mlflow":
        from mlflow import MlflowClient

        path = shutil.copyfile(request.getfixturevalue("empty_intents"), tmp_path / "mlflow.db")
        intents = Intents(MlflowClient(f"sqlite:///{path}"))
    else:
        from mlflow import MlflowClient

        intents = Intents(MlflowClient(request.getfixturevalue("server")), request.node.name)
    return lambda owner=None, seconds=LIFETIME_SECONDS: ServerClaims(intents, owner, seconds)


def _lasting(claims: MemoryClaims, seconds: float) -> MemoryClaims:
    claims.lifetime_seconds = seconds
    return claims


def test_a_free_name_is_taken_and_a_held_one_is_not(open_as: Open) -> None:
    mine, yours = open_as(), open_as()
    assert mine.take("a")
    assert not yours.take("a")
    assert yours.take("b")
    assert mine.take("a")


def test_a_claim_says_whose_it_is_and_since_when(open_as: Open) -> None:
    mine = open_as()
    before = time.time()
    mine.take("a")
    (claim,) = open_as().live().values()
    assert (claim.name, claim.owner) == ("a", mine.owner)
    assert before - 0.01 <= claim.taken <= time.time() + 0.01
    assert claim.expires == pytest.approx(claim.taken + LIFETIME_SECONDS)
    assert not claim.is_running


def test_what_was_released_is_free(open_as: Open) -> None:
    mine, yours = open_as(), open_as()
    mine.take("a")
    yours.release("a")
    assert not yours.take("a")
    mine.release("a")
    assert mine.live() == {}
    assert yours.take("a")
    assert mine.beat() == frozenset()


def test_a_name_can_be_taken_again_by_who_released_it(open_as: Open) -> None:
    mine = open_as()
    for _ in range(2):
        assert mine.take("a")
        mine.release("a")
    mine.release("never taken")


def test_an_expired_claim_goes_to_the_next_who_asks(open_as: Open) -> None:
    gone = open_as(of_another_host(), GONE)
    gone.take("a")
    mine = open_as()
    assert mine.live() == {}
    assert mine.take("a")
    assert mine.live()["a"].owner == mine.owner
    assert not open_as().take("a")


def test_the_claim_of_a_dead_process_goes_to_the_next_who_asks(open_as: Open) -> None:
    assert open_as(of_a_dead_process()).take("a")
    mine = open_as()
    assert mine.live() == {}
    assert mine.take("a")


def test_of_a_process_elsewhere_only_the_time_counts(open_as: Open) -> None:
    there = of_a_dead_process().model_copy(update={"host": "elsewhere#00000000"})
    open_as(there).take("a")
    assert not open_as().take("a")


def test_a_worker_that_has_begun_is_seen(open_as: Open) -> None:
    mine, yours = open_as(), open_as()
    mine.take("a")
    mine.take("b")
    mine.begin("a")
    yours.begin("b")
    assert {name: claim.is_running for name, claim in yours.live().items()} == {"a": True, "b": False}
    mine.beat()
    assert yours.live()["a"].is_running


def test_whoever_takes_a_name_over_has_not_begun(open_as: Open) -> None:
    gone = open_as(of_another_host(), GONE)
    gone.take("a")
    gone.begin("a")
    mine = open_as()
    mine.take("a")
    assert not mine.live()["a"].is_running


def test_a_beat_lets_all_claims_of_its_owner_stand_longer(open_as: Open) -> None:
    mine, yours = open_as(), open_as()
    for claims, name in ((mine, "a"), (mine, "b"), (yours, "c")):
        claims.take(name)
    before = yours.live()
    assert mine.beat() == frozenset()
    after = yours.live()
    assert after["a"].expires > before["a"].expires
    assert after["b"].expires > before["b"].expires
    assert after["c"].expires == before["c"].expires
    assert after["a"].taken == before["a"].taken


def test_a_beat_tells_once_what_was_taken_meanwhile(open_as: Open) -> None:
    late = open_as(of_another_host(), GONE)
    late.take("a")
    late.take("b")
    mine = open_as()
    mine.take("a")
    assert late.beat() == {"a"}
    assert late.beat() == frozenset()
    assert mine.beat() == frozenset()
    assert mine.live()["a"].owner == mine.owner


def test_a_claim_that_nobody_wanted_outlives_its_time_with_the_next_beat(open_as: Open) -> None:
    owner = of_another_host()
    late = open_as(owner, GONE)
    late.take("a")
    assert open_as().live() == {}
    if isinstance(late, MemoryClaims):
        late.lifetime_seconds = LIFETIME_SECONDS
    else:
        late._lifetime = LIFETIME_SECONDS
    assert late.beat() == frozenset()
    assert set(open_as().live()) == {"a"}
    assert not open_as().take("a")


def test_live_claims_can_be_asked_for_by_name(open_as: Open) -> None:
    mine = open_as()
    for name in ("a", "b", "c"):
        mine.take(name)
    assert set(mine.live()) == {"a", "b", "c"}
    assert set(mine.live(["b"])) == {"b"}
    assert set(mine.live(["b", "c", "unknown"])) == {"b", "c"}
    assert mine.live([]) == {}


def test_only_what_is_not_live_is_removed(open_as: Open) -> None:
    mine = open_as()
    mine.take("mine")
    open_as(of_another_host(), GONE).take("expired")
    open_as(of_a_dead_process()).take("dead")
    open_as(of_another_host()).take("elsewhere")
    assert mine.remove_dead() == 2
    assert set(mine.live()) == {"mine", "elsewhere"}
    assert mine.remove_dead() == 0


@pytest.mark.parametrize("name", ['it\'s "quoted" %s :x \\ é', "x" * 2000, "optuna/study/Arm", ""])
def test_any_text_is_a_name(open_as: Open, name: str) -> None:
    mine = open_as()
    assert mine.take(name)
    assert mine.take(name.upper() + "other case")
    assert not open_as().take(name)
    assert mine.live([name])[name].name == name


def test_threads_of_one_owner_hold_a_name_together_and_those_of_two_do_not(open_as: Open) -> None:
    owners = [open_as(), open_as()]
    took: list[tuple[Claims, str]] = []

    def work(claims: Claims) -> None:
        took.extend((claims, name) for name in ("a", "b", "c") if claims.take(name))

    threads = [threading.Thread(target=work, args=(claims,)) for claims in owners * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("a", "b", "c"):
        winners = [claims for claims, taken in took if taken == name]
        assert len(winners) == 2
        assert winners[0] is winners[1]
