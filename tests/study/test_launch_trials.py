"""Real trials under several launchers: the same numbers, and no time lost on the way."""

import time

import pytest
from advised import RUNTIME, numbers
from launching import ends, order, processes
from trials import dataset

from harness.spec import ProcessesLaunch, SerialLaunch
from harness.study.launch import open_launcher


@pytest.mark.slow
def test_trials_are_the_same_to_the_last_bit_here_and_in_a_worker(tmp_path):
    found = []
    for launch in (SerialLaunch(), ProcessesLaunch(workers=1)):
        launcher = open_launcher(launch, RUNTIME, lambda ref: dataset())
        found.append(numbers(tmp_path / launch.name, launcher))
        launcher.stop()
    assert found[0] == found[1]


@pytest.mark.bench
def test_an_order_that_does_nothing_costs_less_than_five_milliseconds(tmp_path):
    launcher = processes(2)
    ends(launcher, [order(tmp_path, f"warm{n}", "nothing") for n in range(2)])
    orders = [order(tmp_path, f"t{n}", "nothing") for n in range(400)]
    start = time.perf_counter()
    ends(launcher, orders)
    assert (time.perf_counter() - start) / len(orders) < 0.005
    launcher.stop()
