"""The `adviserbench` command. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import DEFAULT_OUT, AnyStudy, Out, Overrides, Plugins, Store, StudyName
from harness.cli.using import using_app

app = typer.Typer(
    name="adviserbench",
    help="Benchmark and ablate the distillation of a multimodal teacher into a one-modality student.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Data sets that are made or prepared here.", no_args_is_help=True)
app.add_typer(using_app)
app.add_typer(data_app, name="data")
study_app = typer.Typer(help="How far studies are, and the upkeep of their store.", no_args_is_help=True)
app.add_typer(study_app, name="study")


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
