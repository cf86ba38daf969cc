"""Writes the baseline of the micro-benchmarks from the JSON files of several runs: a median a bench.

What other kinds of processors have in it stays.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from bench_gate import Baseline, Machine, Ratio

from harness.engine.environment import cpu_name

FILE = Path(__file__).parents[1] / "bench" / "baseline.json"


def here() -> Machine:
    """The machine that this process runs on."""
    # Without the tag of the build ("+cpu"), which says nothing of the operators.
    version = str(torch.__version__).partition("+")[0]
    return Machine(cpu=cpu_name(), python=platform.python_version(), torch=version, numpy=np.__version__)


def ratios(run: Path) -> dict[str, Ratio]:
    """The ratios of a run, from the file that pytest-benchmark saved it in."""
    benches = json.loads(run.read_text(encoding="utf-8"))["benchmarks"]
    return {
        each["fullname"]: Ratio(kind=each["extra_info"]["kind"], ratio=each["extra_info"]["ratio"])
        for each in benches
    }


def main(files: Sequence[str]) -> None:
    """Writes `FILE` from the runs, as ``tox -e bench-baseline`` asks for."""
    if not files:
        raise SystemExit("expected the JSON files of runs of the benches, given none")
    found = [ratios(Path(file)) for file in files]
    Baseline.read(FILE).stored_anew(here(), found).write(FILE)


if __name__ == "__main__":
    main(sys.argv[1:])
