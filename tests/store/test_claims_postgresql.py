from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from claiming import once_each, race
from postgres_server import PostgresServer

from harness.store import StoreFault
from harness.store.claims import open_claims

pytestmark = pytest.mark.slow


@pytest.fixture
def url(postgres: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of its own; the server runs again when the test is over."""
    yield postgres.create(f"claims{abs(hash(request.node.name))}")
    if not postgres.is_running():
        postgres.start()


def test_on_postgresql_four_processes_share_200_names(tmp_path: Path, url: str) -> None:
    assert race(lambda: open_claims(tmp_path, url), 4, 200) == once_each(200)


def test_on_postgresql_the_time_is_the_servers(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, yours = open_claims(tmp_path, url), open_claims(tmp_path, url)
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


def test_a_server_that_was_away_knows_all_claims_again(
    tmp_path: Path, postgres: PostgresServer, url: str
) -> None:
    claims = open_claims(tmp_path, url)
    assert claims.take("kept")
    postgres.stop()
    try:
        for ask in (claims.beat, claims.live, claims.remove_dead, lambda: claims.take("other")):
            with pytest.raises(StoreFault) as caught:
                ask()
            assert "\n" not in str(caught.value)
            assert "hidden" not in str(caught.value)
        with pytest.raises(StoreFault):
            open_claims(tmp_path, url)
    finally:
        postgres.start()
    assert claims.beat() == frozenset()
    assert not open_claims(tmp_path, url).take("kept")
    assert claims.take("other")
