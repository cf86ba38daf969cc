"""`adviserbench bench`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from harness.cli.bench_plan import Asked, measured
from harness.registry import discover


def bench_command(
    study: str,
    overrides: Sequence[str],
    asked: Asked,
    out: Path,
    uri: str | None,
    plugins: Sequence[str],
    *,
    tiny: bool,
    fresh: bool = False,
) -> int:
    """Measures, prints the tables and writes them below ``reports/<study>/bench``; the exit code."""
    discover(plugins)
    from harness.cli.run import STOPPED, check_writable, terminable

    check_writable(out)
    plan, settings, store = measured(study, overrides, asked, out, uri, tiny=tiny)
    # Here, not on top: a mistyped name needs no torch.
    from harness.study.bench.kept import forget
    from harness.study.bench.processes import MeasurementFault
    from harness.study.bench.run import bench
    from reports.bench import to_markdown, write_bench

    work = out / "work" / f"bench-{plan.study.name}"
    if fresh:
        forget(work)
    try:
        with terminable():
            found = bench(plan, settings, store, work=work, plugins=plugins, say=_say)
    except MeasurementFault as fault:
        typer.echo(f"failed: {fault}; the same command goes on from what was measured", err=True)
        return 1
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on from what was measured", err=True)
        return STOPPED
    paths = write_bench(found.record, found.samples, out / "reports" / plan.study.name / "bench")
    forget(work)
    typer.echo(to_markdown(found.record, found.samples))
    for row in found.record.rows:
        if row.refused:
            typer.echo(f"not timed: {row.name}: {row.refused}", err=True)
    typer.echo(f"written: {', '.join(map(str, paths))}", err=True)
    return 0


def _say(words: str) -> None:
    typer.echo(f"bench: {words}", err=True)
