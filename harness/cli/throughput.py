"""`adviserbench throughput`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import typer

from harness.cli.report import study_name
from harness.spec import BadInput, IndexName, SearchWorkload, nearest
from harness.store import BufferedStore, Outbox, open_store


def throughput_command(
    study: str,
    arm: str | None,
    seed: int | None,
    workload: SearchWorkload,
    out: Path,
    uri: str | None,
    plugins: Sequence[str],
) -> None:
    """Measures, prints the table and writes it below ``reports/<study>`` of the output folder."""
    store = BufferedStore(open_store(out, uri, create=False), Outbox(out / "outbox"))
    name = study_name(study)
    plan = store.plan(name)
    if plan is None:
        raise BadInput(f"no study '{name}' in this store; {nearest(name, store.studies())}", key="STUDY")
    # Here, not on top: a mistyped name needs no torch.
    from harness.engine.throughput import search_cost
    from harness.study.throughput import trained_arm
    from reports.throughput import to_markdown, write_throughput

    cost = search_cost(trained_arm(store, plan, arm, seed, plugins), workload)
    paths = write_throughput(cost, out / "reports" / name)
    typer.echo(to_markdown(cost))
    typer.echo(f"written: {', '.join(map(str, paths))}", err=True)


def workload(
    galleries: Sequence[int], indices: Sequence[str], *, queries: int, jitter: float, repeats: int
) -> SearchWorkload:
    """What the options say; what is not said is as in `SearchWorkload`.

    Raises:
        BadInput: an index that nobody knows.
    """
    known: tuple[IndexName, ...] = get_args(IndexName)
    for index in indices:
        if index not in known:
            raise BadInput(f"no index is called '{index}'; {nearest(index, known)}", key="--index")
    chosen = {
        "galleries": tuple(dict.fromkeys(galleries)),
        "indices": tuple(name for name in known if name in indices),
    }
    given = {name: value for name, value in chosen.items() if value}
    return SearchWorkload(queries=queries, jitter=jitter, repeats=repeats, **given)
