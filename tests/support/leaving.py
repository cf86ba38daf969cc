"""A store with small trained models of every kind, for what is done with them afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import toy
from studies import Diary

from harness.cli import main
from harness.registry import discover
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.load import parse_study
from harness.study.place import Place
from harness.study.runner import run_study

assert toy

BUDGET = {"max_epochs": 1, "batch_size": 8, "learning_rate": 0.01}
TOWER = {"name": "clip_video", "width": 16, "joint_width": 16, "layers": 1, "heads": 2, "image_size": 16}
ENCODER = {"name": "text_encoder", "width": 16, "layers": 1, "heads": 2, "vocabulary": 300, "levels": 7}


def _alone(**model: Any) -> dict[str, Any]:
    return {"student": {"model": model, "losses": {"task_l1": {}}}}


STUDY: dict[str, Any] = {
    "kind": "ablation",
    "name": "words",
    "data": {"name": "toy"},
    "seeds": [0, 1],
    "reference": "advised",
    "runtime": {"threads": 1, "latency_seconds": 0.01},
    "base": {
        "role": "student",
        "teacher": {"model": TOWER, "losses": {"task_l1": {}}, "optimisation": BUDGET},
        "student": {"model": ENCODER, "losses": {"task_l1": {}}, "optimisation": BUDGET},
        "baseline": {"model": {"name": "lf_dnn"}, "losses": {"task_l1": {}}, "optimisation": BUDGET},
    },
    "arms": {
        "advised": {"student": {"losses": {"step2": {}}}},
        "bag": _alone(name="bag_of_words", min_count=1),
        "gru": _alone(name="gru", width=8, embedding=8, vocabulary=300),
        "lf_dnn": {"role": "baseline"},
    },
}


def trained_store(folder: Path) -> MemoryStore:
    """A store in memory in which the study has ended."""
    discover()
    kept = MemoryStore()
    place = Place(out=folder, store=lambda: kept, claims=MemoryClaims, exists=False)
    outcome = run_study(parse_study(STUDY), place, Diary())
    assert not outcome.failed
    return kept


def command_on(
    store: MemoryStore,
    commands: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    out: Path,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    """The command of that module, run on a store; it gives exit code, output and errors."""
    monkeypatch.setattr(commands, "open_store", lambda folder, uri, create=True: store)
    name = commands.__name__.rpartition(".")[-1]

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["adviserbench", name, *words, "--out", str(out)])
        code: Any = 0
        try:
            main()
        except SystemExit as stopped:
            code = stopped.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
