"""A bench beside its calibration loop: what it costs is a number of loops, whatever the machine does."""

from threading import Event
from typing import get_args

import pytest
from calibration import Kind, loops
from side_by_side import SideBySide, alone, seconds_of

LOOPS = loops()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_so_many_loops_cost_so_many_loops(kind, monkeypatch):
    monkeypatch.setattr("side_by_side.SECONDS", 0.02)
    loop = LOOPS[kind]

    def three():
        for _ in range(3):
            loop()

    with alone():
        assert SideBySide(three, loop).window() == pytest.approx(3, rel=0.25)


def test_waiting_is_no_work():
    assert seconds_of(lambda: Event().wait(0.05)) < 0.01


@pytest.fixture
def clock(monkeypatch):
    """Seconds that bench and loop take, one call after the other; the last for ever."""
    left = {"bench": [], "loop": []}

    def of(name):
        return left[name].pop(0) if len(left[name]) > 1 else left[name][0]

    def seconds(function):
        # Loops of a round are a method, which runs the loop as often as it says.
        owner = getattr(function, "__self__", None)
        return of("loop") * owner.repeats if owner else of(function())

    monkeypatch.setattr("side_by_side.seconds_of", seconds)
    return left


def pair():
    return SideBySide(lambda: "bench", lambda: "loop")


def test_the_loops_of_a_round_last_as_long_as_the_call(clock):
    clock.update(bench=[0.5], loop=[0.001])
    found = pair()
    assert (found.rounds, found.repeats) == (4, 500)
    assert found.window() == pytest.approx(500)
    clock.update(bench=[2.5e-5], loop=[1e-4])
    found = pair()
    assert (found.rounds, found.repeats) == (1000, 1)
    assert found.window() == pytest.approx(0.25)


def test_the_fastest_of_each_counts_and_each_window_begins_anew(clock):
    clock.update(bench=[1.0] * 3 + [0.4, 0.3, 0.2, 0.5], loop=[0.5] * 3 + [0.03, 0.01, 0.04, 0.02])
    found = pair()
    assert (found.rounds, found.repeats) == (4, 2)
    assert found.window() == pytest.approx(0.2 / 0.01)
    clock.update(bench=[3.0], loop=[1.0])
    assert found.window() == pytest.approx(3)
