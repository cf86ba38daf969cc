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


def test_a_long_bench_has_few_rounds_and_a_fifth_of_them_are_loops(monkeypatch):
    seconds = {"bench": 1.0, "loop": 0.001}
    monkeypatch.setattr("side_by_side.seconds_of", lambda function: seconds[function()])
    pair = SideBySide(lambda: "bench", lambda: "loop")
    assert (pair.rounds, pair.repeats) == (4, 200)
    assert pair.window() == pytest.approx(1000)
    seconds.update(bench=2e-5, loop=1e-4)
    pair = SideBySide(lambda: "bench", lambda: "loop")
    assert (pair.rounds, pair.repeats) == (625, 3)


def test_the_fastest_of_each_counts_and_each_window_begins_anew(monkeypatch):
    left = [0.1] * 3 + [0.01] * 3  # three turns of a bench and three of its loop, to begin with
    left += [0.02, 0.02, 0.02, 0.4, 0.01, 0.03, 0.01, 0.3, 0.04, 0.04, 0.04, 0.2, 0.02, 0.02, 0.02, 0.5]
    monkeypatch.setattr("side_by_side.seconds_of", lambda function: left.pop(0))
    monkeypatch.setattr("side_by_side.SECONDS", 0)
    pair = SideBySide(bool, bool)
    assert (pair.rounds, pair.repeats) == (4, 3)
    assert pair.window() == pytest.approx(0.2 / 0.01)
    left += [1.0, 1.0, 1.0, 3.0] * 4
    assert pair.window() == pytest.approx(3)
