"""The table that a person sees at a terminal."""

import io

import pytest
from report_samples import Study
from rich.console import Console

from reports import build_table, collect
from reports.layout import load_layout
from reports.terminal import to_grid


@pytest.fixture
def table():
    study = Study(["plain", "[bold]odd"], [0, 1])
    for seed in (0, 1):
        study.gives("plain", seed, [2.0, 1.0, 2.0, 1.0 + seed], metrics={"corr": 0.5})
        study.gives("[bold]odd", seed, [1.0] * 4, metrics={"corr": 0.6})
    return build_table(collect(study.store(), "small"), load_layout("sentiment"), "plain")


def shown(table, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(to_grid(table))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [100, 130, 240])
def test_it_fits_the_terminal(table, width):
    assert max(map(len, shown(table, width).splitlines())) <= width


def test_it_holds_every_arm_and_heading(table):
    words = shown(table, 300)
    assert all(word in words for word in ("plain (reference)", "[bold]odd", "MAE ↓", "Latency ↓ (ms)"))
