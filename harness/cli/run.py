"""`adviserbench run`."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from harness.cli.progress import choose
from harness.cli.report import print_report
from harness.registry import discover
from harness.spec import BadInput, Plan, Study, TrialResult
from harness.study.labels import trial_labels
from harness.study.load import load_study
from harness.study.tiny import shrink

if TYPE_CHECKING:
    from harness.study.runner import Outcome

STOPPED = 130
"""Exit code after an interruption, as shells have it."""


def run_command(
    path: Path,
    overrides: Sequence[str],
    out: Path,
    uri: str | None,
    plugins: Sequence[str],
    *,
    tiny: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Runs the study and prints its table; gives the exit code."""
    discover(plugins)
    study = load_study(path, overrides)
    study = shrink(study) if tiny else study
    check_writable(out)
    _check_published(study, path)
    # Here, not on top: the engine brings torch's trainer in, and a mistyped study needs none of it.
    from harness.study.place import open_place
    from harness.study.runner import run_study

    place = open_place(out, uri)
    try:
        with terminable(), choose(quiet=quiet, as_json=as_json) as watcher:
            outcome = run_study(study, place, watcher, plugins)
    except BadInput as fault:
        raise fault.at(file=path) from fault
    except KeyboardInterrupt:
        typer.echo(
            "stopped: what had finished is kept, and the same command goes on from here", err=True
        )
        return STOPPED
    print_report(outcome.store, study.name, out, as_json=as_json)
    return _say_what_is_missing(outcome, out)


def _check_published(study: Study, path: Path) -> None:
    """Whether there are published results of that name: found out before anything is trained."""
    from reports.literature import published_rows

    try:
        published_rows(study.published)
    except BadInput as fault:
        raise fault.at(file=path) from fault


def _say_what_is_missing(outcome: Outcome, out: Path) -> int:
    for line in failures(outcome.plan, outcome.ran):
        typer.echo(line, err=True)
    if outcome.undelivered:
        typer.echo(
            f"{outcome.undelivered} finished trials wait in {out / 'outbox'}: the store takes nothing; "
            "the same command delivers them when it does",
            err=True,
        )
    return 1 if outcome.failed or outcome.undelivered else 0


def failures(plan: Plan, ran: Iterable[TrialResult]) -> list[str]:
    """A line a cause, with every trial of this run that it ended, as progress calls them."""
    labels = trial_labels(plan)
    trials: dict[str, list[str]] = {}
    for result in ran:
        if result.failure is not None:
            label = labels.get(result.trial_id, result.trial_id)
            trials.setdefault(result.failure.message, []).append(label)
    return [f"failed: {', '.join(names)}: {message}" for message, names in trials.items()]


@contextmanager
def terminable() -> Iterator[None]:
    """Lets a polite kill end what runs as Ctrl-C does: workers stopped, results delivered."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_writable(out: Path) -> None:
    """Says so before anything runs when the output folder cannot be made or written; leaves no trace.

    Raises:
        BadInput: with key ``--out``.
    """
    nearest = next(parent for parent in (out, *out.absolute().parents) if parent.exists())
    try:
        # Tried, not asked for: permission bits say nothing of read-only and special file systems.
        with TemporaryDirectory(dir=nearest):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(
            f"the output folder cannot be written: {reason}", file=out, key="--out"
        ) from error
