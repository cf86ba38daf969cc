"""Kernel CCA of as many clips as VEGAS trains on fits into the memory of an ordinary machine."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FIT = """
import resource, sys, time
import torch
from harness.registry import BASELINES, discover
from harness.spec import VariantRef
from harness.types import Batch, DataInfo, Padded

discover()
torch.set_num_threads(2)
CLIPS, CLASSES, WIDTHS = 22483, 10, {"audio": 128, "vision": 1024}
draw = torch.Generator().manual_seed(0)
label = torch.arange(CLIPS) % CLASSES
ids = tuple(str(n) for n in range(CLIPS))
views = {}
for name, width in WIDTHS.items():
    shown = torch.randn(CLASSES, width, generator=draw)[label]
    shown += 2 * torch.randn(CLIPS, width, generator=draw)
    views[name] = Padded(shown.unsqueeze(1), torch.ones(CLIPS, 1, dtype=torch.bool))
clips = Batch(ids, ids, label, **views)
widths = {f"{name}_width": width for name, width in WIDTHS.items()}
info = DataInfo("retrieval", (0, CLASSES - 1), frozenset(WIDTHS), **widths)
model = BASELINES.build(VariantRef(name="kcca", approximation=sys.argv[1], landmarks=1024), info).eval()
start = time.perf_counter()
with torch.no_grad():
    model.fit(clips)
wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_SELF)
assert model(clips.take(torch.arange(4))).audio_embedding.isfinite().all()
# As many directions as classes have tell them apart, and the rest is noise.
print(used.ru_maxrss / 2**20, wall, used.ru_utime + used.ru_stime, *model.correlations[[8, 9]].tolist())
"""


@pytest.mark.parametrize("approximation", ["nystroem", "incomplete_cholesky"])
def test_kernel_cca_of_22483_clips_with_1024_landmarks_needs_less_than_4_gib(approximation):
    done = subprocess.run(
        [sys.executable, "-c", FIT, approximation],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    gib, wall, processor, last, next_one = map(float, done.stdout.split())
    print(
        f"\n{approximation}: peak memory {gib:.2f} GiB; fitted in {wall:.0f} s, {processor:.0f} s of "
        f"processors; correlations {last:.2f} in the direction K - 1, {next_one:.2f} in the next"
    )
    assert gib < 4
    assert last > 4 * next_one
