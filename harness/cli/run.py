"""`adviserbench run`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from harness.cli.progress import ConsoleWatcher, SilentWatcher
from harness.cli.report import print_report
from harness.registry import discover
from harness.spec import BadInput
from harness.store import ResultStore, open_store
from harness.store.mlflow.store import DATABASE
from harness.study.load import load_study
from harness.study.tiny import shrink


def run_command(
    path: Path,
    overrides: Sequence[str],
    out: Path,
    uri: str | None,
    plugins: Sequence[str],
    *,
    tiny: bool,
    quiet: bool,
) -> int:
    """Runs the study and prints its table; gives the number of failed trials."""
    discover(plugins)
    study = load_study(path, overrides)
    study = shrink(study) if tiny else study
    check_writable(out)
    # Here, not on top: the engine brings torch's trainer in, and a mistyped study needs none of it.
    from harness.study.runner import Place, run_study

    def opened() -> ResultStore:
        return open_store(out, uri)

    place = Place(
        store=opened,
        exists=uri is not None or (out / DATABASE).is_file(),
        work=out / "work",
        cache=out / "cache",
    )
    with SilentWatcher() if quiet else ConsoleWatcher() as watcher:
        try:
            outcome = run_study(study, place, watcher)
        except BadInput as fault:
            raise fault.at(file=path) from fault
    print_report(opened(), study.name, out)
    for result in outcome.ran:
        if result.failure is not None:
            typer.echo(f"failed: {result.trial_id}: {result.failure.message}", err=True)
    return outcome.failed


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
