"""The machine as a measuring process finds it, on a made-up kernel and on this one."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
import torch

from harness.efficiency import machine
from harness.efficiency.machine import (
    OthersWatch,
    machine_state,
    others_share,
    set_threads,
    usable_cores,
)
from harness.spec import BadInput

ON_LINUX = pytest.mark.skipif(not Path("/proc/stat").exists(), reason="the kernel counts no ticks")


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def tick(root, *, user, idle, own, waiting=0, guest=0):
    """Two cores, and a process with a blank and a bracket in its name."""
    write(root / "proc/stat", f"cpu  {user} 0 0 {idle} {waiting} 0 0 0 {guest} 0\ncpu0 1 1 1 1\n")
    before = " ".join(["0"] * 10)
    write(root / "proc/self/stat", f"7 (a) b c) S {before} {own} 0 0 0 20 0\n")


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A kernel on which some ticks go by while others are watched."""

    def passing(**after):
        monkeypatch.setattr(machine, "sleep", lambda _: tick(tmp_path, **after))
        return others_share(root=tmp_path)

    tick(tmp_path, user=1000, idle=500, own=100)
    return passing


def test_others_have_the_busy_ticks_that_are_not_ours(kernel):
    assert kernel(user=1060, idle=540, own=120) == (60 - 20) / (60 + 40)


def test_our_own_threads_are_not_others(kernel):
    assert kernel(user=1100, idle=500, own=200) == 0


def test_waiting_for_the_disk_is_no_work_and_guests_count_once(kernel):
    assert kernel(user=1030, idle=540, waiting=30, own=100, guest=30) == 30 / 100


def test_a_share_is_never_below_none_of_the_cores(kernel):
    # Ticks of a process and of the cores are counted at different moments.
    assert kernel(user=1010, idle=590, own=112) == 0


@pytest.mark.parametrize("is_there", [True, False])
def test_without_ticks_the_load_average_by_core_stands_in(tmp_path, monkeypatch, is_there):
    if is_there:  # some sandboxes have the file and never count
        tick(tmp_path, user=0, idle=0, own=0)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.5, 9.0, 9.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert others_share(root=tmp_path, seconds=0) == 0.25


def test_a_watch_is_of_all_that_went_by_since_it_was_made(tmp_path):
    tick(tmp_path, user=1000, idle=500, own=100)
    watch = OthersWatch(tmp_path)
    for user, idle, own, share in ((1060, 540, 120, 0.4), (1060, 640, 120, 0.2), (1260, 640, 320, 0.1)):
        tick(tmp_path, user=user, idle=idle, own=own)
        assert watch.share() == share


def test_a_watch_of_too_few_ticks_says_nothing(tmp_path):
    tick(tmp_path, user=1000, idle=500, own=100)
    watch = OthersWatch(tmp_path)
    tick(tmp_path, user=1030, idle=500, own=100)
    assert watch.share() is None
    tick(tmp_path, user=1040, idle=500, own=100)
    assert watch.share() == 1
    assert OthersWatch(tmp_path / "elsewhere").share() is None


@ON_LINUX
def test_a_busy_process_beside_this_one_is_noticed():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            # One core, or what is left of it beside whoever else is busy here.
            assert others_share(seconds=0.3) > 0.5 / os.cpu_count()
        finally:
            busy.kill()


@ON_LINUX
def test_work_of_this_process_is_its_own():
    done = []

    def work():
        while not done:
            sum(range(1000))

    before = machine._ticks(Path("/"))
    thread = Thread(target=work)
    thread.start()
    others_share(seconds=0.3)
    done.append(True)
    thread.join()
    assert machine._ticks(Path("/")).own - before.own > 0


def clocks(root, **of_core):
    for core, (governor, khz) in of_core.items():
        folder = root / "sys/devices/system/cpu" / core / "cpufreq"
        write(folder / "scaling_governor", f"{governor}\n")
        write(folder / "scaling_cur_freq", f"{khz}\n")


def state(root, monkeypatch, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(cores), raising=False)
    return machine_state("av 16, 1 thread", 0.25, root=root, seconds=0)


def test_clock_and_governor_are_those_of_the_cores_that_may_be_used(tmp_path, monkeypatch):
    clocks(tmp_path, cpu0=("powersave", 800_000), cpu1=("performance", 2_400_000))
    clocks(tmp_path, cpu2=("performance", 3_000_000))
    found = state(tmp_path, monkeypatch, {2, 1})
    assert (found.affinity, found.governor, found.clock_mhz) == ((1, 2), "performance", 2700)
    assert state(tmp_path, monkeypatch, {0, 1}).governor == "performance, powersave"


def test_what_cannot_be_read_is_none(tmp_path, monkeypatch):
    found = state(tmp_path, monkeypatch, {0})
    assert (found.governor, found.clock_mhz) == (None, None)
    assert (found.decoder, found.timer_overhead_us) == ("av 16, 1 thread", 0.25)


def test_without_a_governor_the_clock_is_what_the_processor_says(tmp_path, monkeypatch):
    write(tmp_path / "proc/cpuinfo", "cpu MHz\t\t: 2000.5\nflags : fpu\ncpu MHz\t\t: 2001.5\n")
    assert state(tmp_path, monkeypatch, {0, 1}).clock_mhz == 2001


def test_threads_are_each_read_by_their_own_getter(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "get_num_interop_threads", lambda: 5)
    found = state(tmp_path, monkeypatch, {0})
    assert (found.intra_threads, found.inter_threads) == (3, 5)


class Torch:
    """The threads of torch, on a machine of some cores."""

    def __init__(self, monkeypatch, cores=4, intra=3, inter=2):
        self.numbers = {"intra": intra, "inter": inter}
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
        monkeypatch.setattr(torch, "get_num_threads", lambda: self.numbers["intra"])
        monkeypatch.setattr(torch, "get_num_interop_threads", lambda: self.numbers["inter"])
        self.sets("set_num_threads", "intra")
        self.sets("set_num_interop_threads", "inter")

    def sets(self, setter, kind):
        """What a setter of torch sets, if anything."""
        write = self.numbers.__setitem__ if kind else lambda *_: None
        self.monkeypatch.setattr(torch, setter, lambda count: write(kind, count))


@pytest.mark.parametrize(("asked", "found"), [(1, 1), (2, 2), (4, 4), (None, 4)])
def test_operations_get_the_threads_asked_for_and_run_one_at_a_time(monkeypatch, asked, found):
    Torch(monkeypatch)
    assert set_threads(asked) == (found, 1)


def test_torch_has_the_threads_that_it_was_given(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    # Once a process, and this one has other tests.
    monkeypatch.setattr(torch, "set_num_interop_threads", lambda _: None)
    assert set_threads(2)[0] == torch.get_num_threads() == 2
    assert set_threads(1)[0] == torch.get_num_threads() == 1


def test_swapped_setters_are_noticed(monkeypatch):
    fake = Torch(monkeypatch)
    fake.sets("set_num_threads", "inter")
    fake.sets("set_num_interop_threads", "intra")
    with pytest.raises(BadInput, match="given 2 threads and has 1"):
        set_threads(2)


def test_a_setter_that_does_nothing_is_noticed(monkeypatch):
    fake = Torch(monkeypatch)
    fake.sets("set_num_threads", None)
    with pytest.raises(BadInput, match=r"bench\.threads: torch was given 2 threads and has 3"):
        set_threads(2)


def test_threads_between_operations_stay_where_it_is_too_late(monkeypatch):
    Torch(monkeypatch)

    def refuse(_):
        raise RuntimeError("parallel work has started")

    monkeypatch.setattr(torch, "set_num_interop_threads", refuse)
    assert set_threads(2) == (2, 2)


@pytest.mark.parametrize("asked", [0, 5])
def test_more_threads_than_usable_cores_are_refused(monkeypatch, asked):
    fake = Torch(monkeypatch, cores=4)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    with pytest.raises(BadInput, match=rf"bench\.threads: expected 1 to 4 threads.*given {asked}"):
        set_threads(asked)
    assert fake.numbers == {"intra": 3, "inter": 2}


def test_usable_cores_are_those_of_the_affinity_or_else_all(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 9}, raising=False)
    assert usable_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores() == 64
