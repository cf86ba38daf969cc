"""What distillation costs beside what it needs anyway: ratios inside one run, on this machine."""

from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
import toy
from studies import Diary, ablation

from harness.registry import discover
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.load import parse_study
from harness.study.place import Place
from harness.study.runner import run_study

assert toy
discover()
pytestmark = pytest.mark.slow

STUDENTS = 8
# The same number of epochs for everyone, so that only the work per epoch can differ.
EPOCHS = {"max_epochs": 4, "select": "last", "batch_size": 32}


def study(name, student_losses):
    content = ablation("seeds=[0]", "data.train=600")
    for role in ("teacher", "student"):
        content["base"][role]["optimisation"] = EPOCHS
    content["base"]["student"]["model"] |= {"width": 64, "layers": 2, "heads": 4}
    # Learning rates that differ by nothing that matters make eight trials of one student.
    arms = {
        f"student_{n}": {
            "student": {"losses": student_losses, "optimisation": {"learning_rate": 1e-3 + n * 1e-9}}
        }
        for n in range(STUDENTS)
    }
    content |= {"name": name, "arms": {"teacher": {"role": "teacher"}, **arms}, "reference": "teacher"}
    return parse_study(content)


def seconds(what, folder: Path):
    store = MemoryStore()
    place = Place(folder, lambda: store, MemoryClaims, exists=False)
    start = perf_counter()
    outcome = run_study(what, place, Diary())
    assert (outcome.failed, len(outcome.ran)) == (0, STUDENTS + 1)
    return perf_counter() - start


def test_eight_students_of_one_teacher_cost_little_more_than_that_teacher_and_eight_students_alone(
    tmp_path,
):
    advised, alone = study("advised", {}), study("alone", {"step2": None})
    seconds(alone, tmp_path / "warm")
    pairs = [
        (seconds(advised, tmp_path / f"a{turn}"), seconds(alone, tmp_path / f"b{turn}"))
        for turn in range(3)
    ]
    ratio = median(first / second for first, second in pairs)
    print(f"\n8 students of one teacher: {ratio:.3f} x (teacher + 8 students alone), runs {pairs}")
    assert ratio <= 1.15
