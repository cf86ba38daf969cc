"""The `adviserbench` command. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="adviserbench",
    help="Benchmark and ablate the distillation of a multimodal teacher into a one-modality student.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Data sets that are made or prepared here.", no_args_is_help=True)
app.add_typer(data_app, name="data")
study_app = typer.Typer(help="How far studies are, and the upkeep of their store.", no_args_is_help=True)
app.add_typer(study_app, name="study")

Plugins = Annotated[
    list[str] | None, typer.Option("--plugin", help="Module that registers more variants; repeatable.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder of results: store, reports, work in progress.")]
Store = Annotated[
    str | None,
    typer.Option("--store", help="MLflow tracking URI; default: SQLite in the output folder."),
]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Changes to the study file, such as data.path=mosi.pkl.")
]

StudyName = Annotated[str, typer.Argument(help="Study file, or name of a study in the store.")]
AnyStudy = Annotated[str | None, typer.Argument(help="Study file or name; default: all studies.")]

DEFAULT_OUT = Path("runs")


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Study file (YAML).")],
    overrides: Overrides = None,
    out: Out = DEFAULT_OUT,
    store: Store = None,
    plugin: Plugins = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="Shrink every variant: does it run at all?")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only the table.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="What happens as JSON lines, the table as the last of them.")
    ] = False,
) -> None:
    """Run what is missing of a study, then print its table. Exit 1 when a trial failed."""
    from harness.cli.run import run_command

    given = (study, overrides or [], out, store, plugin or [])
    raise typer.Exit(run_command(*given, tiny=tiny, quiet=quiet, as_json=as_json))


@app.command()
def report(
    study: StudyName,
    out: Out = DEFAULT_OUT,
    store: Store = None,
) -> None:
    """Write a study's tables again, from what the store has, and print the table."""
    from harness.cli.report import report_command

    report_command(study, out, store)


@app.command()
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


@app.command()
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
) -> None:
    """Measure what using the arms of a study costs, end to end and model only, side by side."""
    from harness.cli.bench import Asked, bench_command

    chosen = (tuple(arm or ()), tuple(backend or ()), weights, threads, asr)
    given = (study, overrides or [], Asked(*chosen, model_only=model_only), out, store, plugin or [])
    raise typer.Exit(bench_command(*given, tiny=tiny))


Trial = Annotated[
    str, typer.Argument(help="Trial id, or how it begins, or STUDY/ARM, or STUDY/ARM/SEED.")
]


@app.command()
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


@app.command()
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


@app.command(name="ls")
def list_variants(
    kind: Annotated[
        str | None, typer.Argument(help="dataset, teacher, student, baseline or loss; default all.")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(help="One variant: its parameters, and what a search tries.")
    ] = None,
    plugin: Plugins = None,
) -> None:
    """List the registered variants, or the parameters of one."""
    from harness.cli.inspect import describe_command, list_command

    if kind is not None and name is not None:
        describe_command(kind, name, plugin or [])
    else:
        list_command(kind, plugin or [])


@app.command()
def schema() -> None:
    """Print the JSON Schema of study files."""
    from harness.cli.inspect import schema_command

    schema_command()


@app.command()
def doctor(out: Out = DEFAULT_OUT) -> None:
    """Say what is installed, which devices and threads there are, and what is missing."""
    from harness.cli.doctor import doctor_command

    raise typer.Exit(0 if doctor_command(out) else 1)


@data_app.command()
def make(
    name: Annotated[str, typer.Argument(help="Embedded data set, such as rendered_sentiment.")],
    params: Annotated[list[str] | None, typer.Argument(help="Its parameters, such as seed=1.")] = None,
    plugin: Plugins = None,
) -> None:
    """Make an embedded data set, or check the files of a real one, and say what was found."""
    from harness.cli.inspect import make_command

    make_command(name, params or [], plugin or [])


@data_app.command()
def prepare(
    name: Annotated[str, typer.Argument(help="Public material of data sets, such as icwsm14.")],
    archive: Annotated[
        Path | None, typer.Option("--archive", help="Its published archive; default: pip downloads it.")
    ] = None,
    path: Annotated[
        Path | None, typer.Option("--path", help="Folder to write; default: data/NAME.")
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Bring public sentences here, checked against their published hash, for clips to be made of."""
    from harness.cli.prepare import prepare_command

    prepare_command(name, archive, path, plugin or [])


@study_app.command()
def status(
    study: AnyStudy = None,
    out: Out = DEFAULT_OUT,
    store: Store = None,
    trials: Annotated[bool, typer.Option("--trials", help="List every trial.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say how far studies are: trials by state, who runs what, the best of a search, failures."""
    from harness.cli.study import status_command

    status_command(study, out, store, as_json=as_json, every_trial=trials)


@study_app.command()
def retry(
    study: StudyName,
    trials: Annotated[
        list[str] | None, typer.Argument(help="Trial ids, or how they begin; default: all that failed.")
    ] = None,
    out: Out = DEFAULT_OUT,
    store: Store = None,
) -> None:
    """Forget results, so that their trials are run again; nobody may be running them."""
    from harness.cli.study import retry_command

    retry_command(study, trials or [], out, store)


@study_app.command()
def prune(
    study: AnyStudy = None,
    out: Out = DEFAULT_OUT,
    store: Store = None,
    unplanned: Annotated[
        bool, typer.Option("--unplanned", help="Also results that no study of the store plans any more.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; default: say what would be done.")] = False,
) -> None:
    """Clear away what killed processes left: open runs, dead claims, checkpoints, logs, drafts."""
    from harness.cli.study import prune_command

    prune_command(study, out, store, unplanned=unplanned, yes=yes)


@study_app.command(name="export")
def export_file(
    study: StudyName,
    file: Annotated[Path, typer.Argument(help="File to write.")],
    out: Out = DEFAULT_OUT,
    store: Store = None,
    no_checkpoints: Annotated[
        bool, typer.Option("--no-checkpoints", help="Only what a report needs: records and predictions.")
    ] = False,
) -> None:
    """Write a study with its results to one file, for another machine."""
    from harness.cli.study import export_command

    export_command(study, file, out, store, files=not no_checkpoints)


@study_app.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(help="File that `study export` wrote.")],
    out: Out = DEFAULT_OUT,
    store: Store = None,
    name: Annotated[str | None, typer.Option("--as", help="Name of the study here.")] = None,
) -> None:
    """Add an exported study to this store; nothing that is complete here is changed."""
    from harness.cli.study import import_command

    import_command(file, out, store, name)


def main() -> None:
    """Runs the command line: exit 0 fine, 1 a trial failed or the store did, 2 bad input."""
    from harness.spec.errors import BadInput
    from harness.store.base import StoreFault

    try:
        app()
    except BadInput as fault:
        typer.echo(f"error: {fault}", err=True)
        sys.exit(2)
    except StoreFault as fault:
        typer.echo(f"error: {fault}; what had finished is kept", err=True)
        sys.exit(1)
