"""The commands about using what was trained: what it costs, taking it out, asking it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import DEFAULT_OUT, Out, Plugins, Store, StudyName, Trial

using_app = typer.Typer()


@using_app.command()
def throughput(
    study: StudyName,
    arm: Annotated[str | None, typer.Option("--arm", help="Default: the study's reference.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Default: the arm's first.")] = None,
    gallery: Annotated[
        list[int] | None,
        typer.Option("--gallery", help="Vectors to search among; default 5620, 100000 and 1000000."),
    ] = None,
    index: Annotated[
        list[str] | None, typer.Option("--index", help="Such as exact; default all.")
    ] = None,
    queries: Annotated[int, typer.Option("--queries", min=1)] = 1000,
    jitter: Annotated[float, typer.Option("--jitter", min=0, help="Of copies, in mean lengths.")] = 0.1,
    repeats: Annotated[int, typer.Option("--repeats", min=1)] = 5,
    out: Out = DEFAULT_OUT,
    store: Store = None,
    plugin: Plugins = None,
) -> None:
    """Measure what searching with a trained arm costs: encoding, building an index, searching it."""
    from harness.cli.throughput import throughput_command, workload

    load = workload(gallery or [], index or [], queries=queries, jitter=jitter, repeats=repeats)
    throughput_command(study, arm, seed, load, out, store, plugin or [])


@using_app.command()
def bench(
    study: StudyName,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Changes, such as bench.clips=8 bench.batches=[1,16].")
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option("--arm", help="Arm to measure; repeatable; default: all.")
    ] = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            "--backend", help="Such as onnxruntime, see ls backend; eager alone = no other; repeatable."
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="trained, or random: only the cost then means anything."),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all cores.")] = None,
    asr: Annotated[
        str | None,
        typer.Option(
            "--asr", help="Count speech recognition, such as whisper-base; default: not counted."
        ),
    ] = None,
    model_only: Annotated[
        bool, typer.Option("--model-only", help="Only from tensors that are ready.")
    ] = False,
    out: Out = DEFAULT_OUT,
    store: Store = None,
    plugin: Plugins = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="Shrink every variant: does it run at all?")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do not go on from what an interrupted bench measured.")
    ] = False,
) -> None:
    """Measure what using the arms of a study costs, end to end and model only, side by side."""
    from harness.cli.bench import bench_command
    from harness.cli.bench_plan import Asked

    chosen = (tuple(arm or ()), tuple(backend or ()), weights, threads, asr)
    given = (study, overrides or [], Asked(*chosen, model_only=model_only), out, store, plugin or [])
    raise typer.Exit(bench_command(*given, tiny=tiny, fresh=fresh))


@using_app.command()
def export(
    trial: Trial,
    to: Annotated[str, typer.Option("--to", help="hf, onnx or torch.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Default: exports/TRIAL-TO in the output folder.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files of a folder that is not empty.")
    ] = False,
    out: Out = DEFAULT_OUT,
    store: Store = None,
    plugin: Plugins = None,
) -> None:
    """Write a trained model for use without AdviserBench, with a model card, checked against it."""
    from harness.cli.export import export_command

    export_command(trial, to, folder, out, store, plugin or [], force=force)


@using_app.command()
def predict(
    trial: Trial,
    text: Annotated[list[str] | None, typer.Option("--text", help="What is said; repeatable.")] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="File with a column 'text', instead of --text.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="File to write instead of printing.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    out: Out = DEFAULT_OUT,
    store: Store = None,
    plugin: Plugins = None,
) -> None:
    """Say what a trained model of words makes of texts."""
    from harness.cli.predict import predict_command

    given = (trial, text or [], table, out, store, plugin or [])
    predict_command(*given, write=write, as_json=as_json)
