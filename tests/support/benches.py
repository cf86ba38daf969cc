"""Benches small enough to run many of them in a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from studies import ablation

from harness.engine.bench.order import Order
from harness.registry import discover
from harness.spec import BenchSettings, Plan, Study
from harness.study.bench.entrants import entrants
from harness.study.bench.material import material, write_transcripts
from harness.study.expand import expand, make_plan
from harness.study.load import parse_study
from harness.study.prepare import prepared_readers

QUICK: dict[str, Any] = {
    "weights": "random",
    "clips": 3,
    "batches": (1, 2),
    "calls": 2,
    "seconds": 0.02,
    "warmup_seconds": 0.01,
    "processes": 1,
    "threads": 1,
    "teachers": False,
}


def settings(**changes: Any) -> BenchSettings:
    """A bench of a few calls."""
    return BenchSettings(**(QUICK | changes))


def toy_study(*overrides: str) -> Study:
    """The toy ablation: words, features and frames, and no recordings."""
    discover()
    return parse_study(ablation(*overrides))


def clip_study(folder: Path) -> Study:
    """The same arms on rendered clips of several lengths, with models that read recordings."""
    discover()
    content = ablation()
    content["data"] = {
        "name": "rendered_sentiment",
        "path": str(folder),
        "train_clips": 6,
        "valid_clips": 2,
        "test_clips": 6,
        "clips_per_video": 2,
        "size": 32,
        "frames": 4,
        "longest": 12,
        "words": 60,
        "grid": 4,
        "mel_bands": 8,
    }
    content["base"]["baseline"]["model"] = {"name": "lf_dnn", "text_source": "transcript"}
    content["base"]["teacher"]["model"] |= {"modalities": ["video", "audio", "text"]}
    return parse_study(content)


def untrained(study: Study) -> Plan:
    """The plan of a study, whose weights are random."""
    cells = expand(study)
    readers = prepared_readers(cells)
    return make_plan(study, cells, {ref: reader.fingerprint() for ref, reader in readers.items()})


def order(plan: Plan, chosen: BenchSettings, work: Path) -> Order:
    """What measuring processes are told of a plan with random weights."""
    rows = entrants(plan, chosen, None)
    found, _ = material(rows, plan, chosen)
    write_transcripts(found[rows[0].spec.data].data, work / "transcripts")
    return Order(
        settings=chosen,
        entrants=rows,
        material=found,
        transcripts=work / "transcripts",
        accelerator="cpu",
    )


def one_row(whole: Order, name: str) -> Order:
    """The order for that row alone."""
    return replace(whole, entrants=tuple(row for row in whole.entrants if row.name == name))


Ordering = Callable[..., Order]
