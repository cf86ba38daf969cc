"""Rounds, turns and samples, on a clock that moves only when somebody is called."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.benchmark import Timer

from harness.efficiency import turns
from harness.efficiency.turns import Rounds, clocked, in_rounds, timer_overhead_us, warm_up

MS = 1_000_000


@pytest.fixture
def clock(monkeypatch):
    """The time in ns; what is called adds to it."""
    now = [0]
    monkeypatch.setattr(turns, "perf_counter_ns", lambda: now[0])
    return now


def taking(clock, *, ms, calls=None):
    def forward(group):
        clock[0] += int(ms * MS)
        if calls is not None:
            calls.append(group)

    return clocked(forward, lambda: None)


def rounds_of(calls, groups, seed=0, **rounds):
    given = Rounds(**({"count": 4, "seconds": 0.1} | rounds))
    return list(in_rounds(calls, groups, given, np.random.default_rng(seed)))


def test_a_round_is_the_same_clips_for_everybody_and_each_is_called(clock):
    calls = {name: taking(clock, ms=ms) for name, ms in (("slow", 300), ("quick", 5), ("tiny", 0.1))}
    found = rounds_of(calls, groups=[7, 3, 5])
    assert {sample.group for sample in found if sample.round == 1} == {3}
    assert [sample.group for sample in found if sample.row == "slow"] == [7, 3, 5, 7]
    assert {(sample.round, sample.row) for sample in found} == {
        (number, name) for number in range(4) for name in calls
    }


def test_the_order_of_a_round_is_drawn_anew_and_the_same_for_the_same_draw(clock):
    calls = {name: taking(clock, ms=300) for name in "abcdef"}

    def orders(seed):
        names = [sample.row for sample in rounds_of(calls, [0], count=8, seed=seed)]
        return [tuple(names[start : start + 6]) for start in range(0, 48, 6)]

    assert orders(0) == orders(0) != orders(1)
    assert len(set(orders(0))) > 4
    assert all(sorted(order) == list("abcdef") for order in orders(0))


def test_a_call_longer_than_a_turn_is_measured_once_and_nothing_is_thrown_away(clock):
    called = []
    found = rounds_of({"slow": taking(clock, ms=110, calls=called)}, [0], count=3)
    assert [sample.total_ms for sample in found] == [110, 110, 110]
    assert len(called) == 3


def test_a_slow_first_call_of_a_row_that_was_quick_before_is_no_sample(clock):
    times = iter([5] * 21 + [400] + [5] * 20)

    def forward(group):
        clock[0] += next(times) * MS

    found = rounds_of({"quick": clocked(forward, lambda: None)}, [0], count=2)
    assert {sample.total_ms for sample in found} == {5}


def test_a_turn_lasts_its_time_after_one_call_that_is_not_counted(clock):
    called = []
    found = rounds_of({"quick": taking(clock, ms=8, calls=called)}, [0], count=1)
    assert sum(sample.calls for sample in found) == len(called) - 1
    assert sum(sample.total_ms * sample.calls for sample in found) >= 100


def test_the_time_of_a_round_is_spread_over_turns_between_those_of_others(clock):
    called = []
    calls = {
        "slow": taking(clock, ms=300, calls=called),
        "quick": taking(clock, ms=5),
        "tiny": taking(clock, ms=2),
    }
    found = rounds_of(calls, [0], count=1, seconds=0.2, turns=4)
    assert len(called) == 1
    rows = [sample.row for sample in found]
    stretches = [row for row, before in zip(rows, [None, *rows], strict=False) if row != before]
    assert min(stretches.count("quick"), stretches.count("tiny")) >= 2
    for row, ms in (("quick", 5), ("tiny", 2)):
        spent = [sample.total_ms * sample.calls for sample in found if sample.row == row]
        assert 200 - 4 * ms <= sum(spent) <= 200


def test_a_row_has_no_more_turns_when_its_time_of_the_round_is_over(clock):
    found = rounds_of({"row": taking(clock, ms=120)}, [0], count=2, seconds=0.2, turns=8)
    assert [sample.round for sample in found] == [0, 0, 1, 1]


def test_a_drift_of_the_machine_is_the_same_for_rows_whose_turns_are_spread(clock):
    """Twins on a machine that becomes slower all the time, beside a slow row."""

    def drifting(ms):
        return lambda _: clock.__setitem__(0, clock[0] + int(ms * MS * (1 + clock[0] / (5000 * MS))))

    def apart(turns, seed):
        calls = {
            name: clocked(drifting(ms), lambda: None)
            for name, ms in (("one", 5), ("other", 5), ("slow", 300))
        }
        clock[0] = 0
        found = rounds_of(calls, [0], count=1, seconds=1, seed=seed, turns=turns)
        one, other = (
            np.median([sample.total_ms for sample in found if sample.row == name])
            for name in ("one", "other")
        )
        return abs(np.log(one / other))

    single, spread = (np.mean([apart(turns, seed) for seed in range(20)]) for turns in (1, 10))
    assert spread < single / 2


def test_calls_below_a_millisecond_are_put_together(clock):
    found = rounds_of({"tiny": taking(clock, ms=0.125)}, [0], count=1)
    assert {sample.calls for sample in found} == {8}
    assert {sample.total_ms for sample in found} == {0.125}


def test_laps_are_means_over_calls_and_sum_to_the_whole(clock):
    def call(_):
        start = clock[0]
        laps = []
        for stage, ms in (("read", 0.1), ("decode", 0.2), ("read", 0.05), ("forward", 0.15)):
            clock[0] += int(ms * MS)
            laps.append((stage, clock[0]))
        return start, clock[0], laps

    found = rounds_of({"row": call}, [0], count=1)
    for sample in found:
        assert sample.stages == pytest.approx({"read": 0.15, "decode": 0.2, "forward": 0.15})
        assert sum(sample.stages.values()) == pytest.approx(sample.total_ms)
    assert Counter(sample.calls for sample in found).keys() == {2}


def test_a_warm_up_goes_on_until_it_is_said_to_be_warm(clock):
    called = []
    times = warm_up(taking(clock, ms=2, calls=called), 3, lambda found, _: len(found) == 5)
    assert (times, called) == ((2, 2, 2, 2, 2), [0, 1, 2, 0, 1])
    assert len(warm_up(taking(clock, ms=2), 1, lambda _, seconds: seconds >= 0.02)) == 10


def test_timing_itself_takes_less_than_twenty_microseconds():
    assert 0 < timer_overhead_us() < 20


@pytest.mark.slow
def test_medians_agree_with_those_of_torchs_timer():
    """Interleaved, and the better of some tries: what else runs here slows one side or the other."""
    torch.manual_seed(0)
    convolution = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3))
    models = {
        "linear": (nn.Sequential(nn.Linear(512, 2048), nn.ReLU(), nn.Linear(2048, 512)), (64, 512)),
        "convolution": (convolution, (4, 3, 48, 48)),
        "transformer": (nn.TransformerEncoderLayer(128, 4, batch_first=True).eval(), (8, 32, 128)),
    }
    threads = torch.get_num_threads()
    for name, (model, shape) in models.items():
        inputs = torch.randn(shape)
        call = clocked(lambda _, model=model, inputs=inputs: model(inputs), lambda: None)
        timer = Timer("model(inputs)", globals={"model": model, "inputs": inputs}, num_threads=threads)
        with torch.inference_mode():
            ratios = []
            for _ in range(7):
                found = rounds_of({name: call}, [0], count=1, seconds=0.3)
                ours = np.median([sample.total_ms for sample in found])
                ratios.append(ours / (1e3 * timer.blocked_autorange(min_run_time=0.3).median))
        assert np.median(ratios) == pytest.approx(1, abs=0.1), (name, ratios)
