"""`adviserbench doctor`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
import typer

from harness.cli.run import check_writable
from harness.engine.environment import code_revision, cpu_name, package_versions
from harness.spec import BadInput


def doctor_command(out: Path) -> bool:
    """Prints what a study would find on this machine; False when something it needs is missing."""
    problems = []
    typer.echo(f"code        {code_revision()}")
    typer.echo(f"processor   {cpu_name()}, {os.cpu_count()} cores")
    within, between = torch.get_num_threads(), torch.get_num_interop_threads()
    typer.echo(f"threads     torch {within}, between operations {between}")
    typer.echo(f"devices     {', '.join(_devices())}")
    for name, version in package_versions().items():
        typer.echo(f"package     {name} {version}")
        if version == "missing":
            problems.append(f"the package {name} is not installed: pip install {name}")
    problems += _import_problems()
    try:
        check_writable(out)
        typer.echo(f"output      {out}: {shutil.disk_usage(_existing(out)).free / 2**30:.0f} GiB free")
    except BadInput as fault:
        problems.append(str(fault))
    for problem in problems:
        typer.echo(f"missing     {problem}")
    typer.echo("fine" if not problems else f"{len(problems)} problems")
    return not problems


def _devices() -> list[str]:
    found = ["cpu"]
    found += [f"cuda:{n} {torch.cuda.get_device_name(n)}" for n in range(torch.cuda.device_count())]
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def _import_problems() -> list[str]:
    """Whether torchvision works: beside a torch it was not built for it fails, whatever the versions."""
    try:
        import torchvision.ops

        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except (ImportError, RuntimeError) as error:
        return [f"torchvision does not match torch: {error}"]
    return []


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())
