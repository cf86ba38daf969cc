"""100,000 queries rank 100,000 items exactly, in the memory of an ordinary machine."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RANK = """
import resource
from time import perf_counter
import numpy as np
from harness.metrics.retrieval import retrieval_metrics

draws, count = np.random.default_rng(0), 100_000
labels = draws.integers(0, 10, count)
centres = draws.normal(size=(10, 64))
audio, vision = (centres[labels] + 2 * draws.normal(size=(count, 64)) for _ in range(2))
start = perf_counter()
found = retrieval_metrics(audio, vision, labels, "full")
used = resource.getrusage(resource.RUSAGE_SELF)
spent = perf_counter() - start, used.ru_utime + used.ru_stime
print(*spent, used.ru_maxrss / 2**20, found["map_a2v"], found["map_v2a"])
"""


def test_both_directions_of_100_000_clips_need_less_than_2_gib():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", RANK], capture_output=True, text=True, check=False, cwd=root
    )
    assert done.returncode == 0, done.stderr
    seconds, worked, gib, *both = map(float, done.stdout.split())
    print(f"\n100,000 x 100,000 both ways: {seconds:.0f} s, {worked:.0f} s of work, peak {gib:.2f} GiB")
    assert gib < 2
    assert all(0.5 < found < 0.6 for found in both)
