"""The fixture that a bench is timed by, and the gate at its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench_baseline import FILE, here
from bench_gate import LIMIT, Baseline, Compared, closing, smallest, unknown
from calibration import Kind, loops
from side_by_side import SideBySide, alone

COMPARED = pytest.StashKey[list[Compared]]()
COLLECTED = pytest.StashKey[frozenset[str]]()

RESTING = 60.0
"""Seconds of rest in all: where everything is slower, another library is why, and waiting is no use."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ungated", action="store_true", help="benches: measure, and compare with nothing")


def pytest_configure(config: pytest.Config) -> None:
    saved = config.getoption("benchmark_json", None)
    if saved:
        Path(saved).parent.mkdir(parents=True, exist_ok=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before any is deselected: which benches there are. All are timed by the processor's clock."""
    benches = [item for item in items if "timed" in getattr(item, "fixturenames", ())]
    config.stash[COLLECTED] = frozenset(item.nodeid for item in benches)
    config.stash[COMPARED] = []
    for bench in benches:
        bench.add_marker(pytest.mark.benchmark(timer=time.process_time))


@pytest.fixture(scope="session")
def calibration() -> dict[Kind, Callable[[], None]]:
    return dict(loops())


@pytest.fixture(scope="session")
def baseline(request) -> Baseline | None:
    """The stored ratios; None if nothing is to be compared."""
    return None if request.config.getoption("--ungated", False) else Baseline.read(FILE)


@pytest.fixture(scope="session")
def collected(request) -> frozenset[str]:
    """Node ids of all benches in the files that this run was given."""
    return request.config.stash[COLLECTED]


@pytest.fixture(scope="session")
def rest() -> Callable[[float], None]:
    """Waits, as long as the session has rest left."""
    left = [RESTING]

    def wait(seconds: float) -> None:
        taken = min(seconds, left[0])
        left[0] -= taken
        time.sleep(taken)

    return wait


@pytest.fixture(scope="session")
def gate(request, baseline, rest) -> Callable[[str, Kind, float, Callable[[], float]], None]:
    """Fails a bench that is slower than stored, and still is when it is measured again."""

    def compare(bench: str, kind: Kind, ratio: float, again: Callable[[], float]) -> None:
        stored = baseline.benches.get(bench)
        fault = unknown(bench, kind, stored)
        if fault:
            pytest.fail(fault, pytrace=False)
        expected = stored.on(here().cpu)
        found = smallest(ratio, LIMIT * expected.ratio, again, rest)
        compared = Compared(bench, expected, found, baseline.unlike(here()))
        request.config.stash[COMPARED].append(compared)
        if compared.fault:
            pytest.fail(compared.fault, pytrace=False)

    return compare


@pytest.fixture
def timed(request, benchmark, calibration, baseline, gate):
    """Times a function beside loops of a kind, and gives what it gave; too slow, the bench fails."""

    def run(kind: Kind, function: Callable[..., Any], *args: Any) -> Any:
        with alone():
            pair = SideBySide(lambda: function(*args), calibration[kind])
            said = benchmark.pedantic(function, args, setup=pair.calibrate, rounds=pair.rounds)
            if benchmark.enabled:
                ratio = pair.ratio(benchmark.stats.stats.min)
                benchmark.extra_info.update(kind=kind, ratio=ratio)
            if benchmark.enabled and baseline is not None:
                gate(request.node.nodeid, kind, ratio, pair.window)
        return said

    return run


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """The closing lines, where benches ran."""
    compared = config.stash.get(COMPARED, [])
    for line in closing(compared) if compared else ():
        terminalreporter.write_line(line)
