"""Teacher and student at the paper's scale fit into the memory of an ordinary machine."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FORWARD = """
import random, resource, string
import torch
from harness.registry import STUDENTS, TEACHERS, discover
from harness.spec import VariantRef
from harness.types import Batch, DataInfo, Padded

discover()
draw = random.Random(0)
words = tuple(  # enough of them for a vocabulary as large as RoBERTa's
    " ".join("".join(draw.choices(string.ascii_lowercase, k=7)) for _ in range(20)) for _ in range(3000)
)
info = DataInfo("sentiment", (-3.0, 3.0), frozenset({"frames", "transcript"}), train_transcripts=words)
frames = torch.randint(0, 256, (1, 8, 3, 224, 224), dtype=torch.uint8)
frames = Padded(frames, torch.ones(1, 8, dtype=torch.bool))
clip = Batch(("a",), ("a",), torch.zeros(1), transcripts=words[:1], frames=frames)
teacher = VariantRef(name="clip_video", tower="ViT-L-14", modalities=("video", "text"))
sizes = {"width": 1024, "layers": 24, "heads": 16, "vocabulary": 50265}
student = VariantRef(name="text_encoder", **sizes)
teacher, student = TEACHERS.build(teacher, info), STUDENTS.build(student, info)
with torch.inference_mode():
    said = teacher.eval()(teacher.tokenise(clip))
    score = student.eval()(student.tokenise(clip)).score
assert said.class_logits.shape == (1, 7) and said.score.isfinite().all() and score.isfinite().all()
count = [sum(p.numel() for p in model.parameters()) / 1e6 for model in (teacher, student)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, *count)
"""


def test_one_clip_through_both_needs_less_than_12_gib():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FORWARD], capture_output=True, text=True, check=False, cwd=root
    )
    assert done.returncode == 0, done.stderr
    gib, teacher, student = map(float, done.stdout.split())
    print(f"\npeak memory {gib:.2f} GiB; teacher {teacher:.0f} M, student {student:.0f} M parameters")
    assert gib < 12
    # The published sizes of CLIP ViT-L/14 and of RoBERTa-large (355, 512 positions and a pooler more).
    assert teacher > 427
    assert student > 353
