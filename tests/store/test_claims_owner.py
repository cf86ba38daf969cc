from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from harness.store import StoreFault
from harness.store.claims import Heart, MemoryClaims, Owner
from harness.store.claims.owner import is_dead, new_owner


def test_this_process_is_not_dead_and_no_later_one_of_its_pid_is_taken_for_it() -> None:
    owner = new_owner()
    assert not is_dead(owner)
    assert is_dead(owner.model_copy(update={"started": owner.started - 1}))
    assert owner.token != new_owner().token
    assert owner.started == new_owner().started


def test_a_process_that_has_ended_but_was_not_waited_for_is_dead() -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, new_owner().model_dump_json().encode())
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    owner = Owner.model_validate_json(os.read(reader, 10_000))
    assert owner.pid == pid
    assert is_dead(owner)
    os.waitpid(pid, 0)
    assert is_dead(owner)


def test_a_process_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr("os.kill", forbid)
    assert not is_dead(new_owner())


class Failing(MemoryClaims):
    """Claims whose beats are what a list says, the last one for ever."""

    def __init__(self, *beats: Callable[[], frozenset[str]]) -> None:
        super().__init__()
        self.beats = list(beats)
        self.asked = threading.Semaphore(0)

    def beat(self) -> frozenset[str]:
        self.asked.release()
        return (self.beats.pop(0) if len(self.beats) > 1 else self.beats[0])()


def fail() -> frozenset[str]:
    raise StoreFault("the server is away")


def test_a_heart_remembers_a_fault_until_a_beat_succeeds() -> None:
    claims = Failing(fail)
    with Heart(claims, lost=lambda names: None, seconds=0.001) as heart:
        for _ in range(2):
            assert claims.asked.acquire(timeout=5)
        assert heart.fault == "the server is away"
        claims.beats = [frozenset]
        for _ in range(3):
            assert claims.asked.acquire(timeout=5)
    assert heart.fault is None


def test_a_heart_tells_what_was_lost_and_stops_when_told() -> None:
    claims = Failing(fail, lambda: frozenset({"a"}), frozenset)
    told: list[frozenset[str]] = []
    heart = Heart(claims, lost=told.append, seconds=0.001)
    for _ in range(4):
        assert claims.asked.acquire(timeout=5)
    heart.stop()
    heart.stop()
    assert told == [frozenset({"a"})]
    assert "heart" not in {thread.name for thread in threading.enumerate()}
