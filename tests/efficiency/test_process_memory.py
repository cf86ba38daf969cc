"""Memory of a process, against what it is known to have taken."""

import os
import resource
import subprocess
import sys

import pytest
import torch

from harness.efficiency import memory
from harness.efficiency.memory import accelerator_peak, current_rss, peak_rss, reset_peak

MB = 10**6

TAKING = """
from harness.efficiency.memory import current_rss, peak_rss, reset_peak
before = current_rss()
taken = b"1" * 200_000_000
held = current_rss()
del taken
print(before, held, peak_rss(), current_rss(), reset_peak(), peak_rss())
"""


@pytest.fixture(scope="module")
def taking():
    """What a fresh process says that takes 200 MB and gives them back."""
    done = subprocess.run([sys.executable, "-c", TAKING], capture_output=True, text=True, check=True)
    *numbers, was_reset, last = done.stdout.split()
    return [*map(int, numbers), was_reset == "True", int(last)]


def test_taking_200_mb_raises_the_peak_by_about_that(taking):
    before, held, peak, *_ = taking
    assert held - before == pytest.approx(200 * MB, abs=5 * MB)
    assert peak - before == pytest.approx(200 * MB, abs=5 * MB)


def test_the_peak_stays_when_memory_is_given_back_until_it_is_reset(taking):
    before, _, peak, current, was_reset, last = taking
    assert current - before < 5 * MB
    assert last == pytest.approx(current if was_reset else peak, abs=5 * MB)


def test_the_peak_is_never_below_what_is_held():
    assert 0 < current_rss() <= peak_rss() + memory.SLACK


def kernel(folder, peak_kib, rss_kib):
    (folder / "status").write_text(f"Name:\tVmHWM\nVmHWM:\t{peak_kib} kB\nVmRSS:\t {rss_kib} kB\n")
    (folder / "clear_refs").write_text("")


def test_the_kernel_counts_in_kib(tmp_path):
    kernel(tmp_path, 3000, 2000)
    assert (peak_rss(tmp_path), current_rss(tmp_path)) == (3000 * 1024, 2000 * 1024)


def test_a_reset_that_did_nothing_is_told(tmp_path):
    kernel(tmp_path, 200_000, 2000)
    assert not reset_peak(tmp_path)
    assert (tmp_path / "clear_refs").read_text() == "5"
    kernel(tmp_path, 2000, 2000)
    assert reset_peak(tmp_path)


def test_a_reset_that_is_not_allowed_is_told(tmp_path):
    assert not reset_peak(tmp_path / "nowhere")


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("linux", 1024)])
def test_without_a_kernel_that_tells_the_peak_is_that_of_getrusage(
    tmp_path, monkeypatch, platform, unit
):
    usage = resource.struct_rusage([0.0, 0.0, 5000, *[0] * 13])
    monkeypatch.setattr(resource, "getrusage", lambda _: usage)
    monkeypatch.setattr(sys, "platform", platform)
    assert peak_rss(tmp_path) == 5000 * unit


def test_without_a_kernel_that_tells_what_is_held_is_that_of_ps(tmp_path, monkeypatch):
    asked = []

    def answer(words, **_):
        asked.append(words)
        return subprocess.CompletedProcess(words, 0, stdout="  2000\n")

    monkeypatch.setattr(subprocess, "run", answer)
    assert current_rss(tmp_path) == 2000 * 1024
    assert asked[0][-1] == str(os.getpid())


def test_a_cpu_has_no_memory_of_its_own():
    assert accelerator_peak(torch.device("cpu")) is None
    assert accelerator_peak(torch.device("mps")) is None


def test_an_accelerator_tells_what_tensors_took_and_what_was_kept(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: asked.append(device) or 3)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: asked.append(device) or 5)
    assert accelerator_peak(torch.device("cuda", 1)) == (3, 5)
    assert asked == [torch.device("cuda", 1)] * 2
