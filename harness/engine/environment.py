"""Where the numbers are made: code, versions, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from harness.spec import Accelerator, BadInput, Environment

PACKAGES = (
    "adviserbench",
    "torch",
    "torchvision",
    "transformers",
    "tokenizers",
    "open_clip_torch",
    "lightning-fabric",
    "mlflow",
    "numpy",
    "scipy",
    "scikit-learn",
    "av",
)


def find_device(accelerator: Accelerator) -> torch.device:
    """The device that an accelerator stands for here.

    Raises:
        BadInput: it is not there; the ones that are, are named.
    """
    there = [kind for kind in ("cuda", "mps") if getattr(torch, kind).is_available()]
    if accelerator == "auto":
        return torch.device(next(iter(there), "cpu"))
    if accelerator not in {"cpu", *there}:
        raise BadInput(
            f"no such accelerator here: {accelerator}; there is {', '.join(['cpu', *there])}",
            key="runtime.accelerator",
        )
    return torch.device(accelerator)


def environment(device: torch.device) -> Environment:
    """The environment of this process, its thread count read back from torch."""
    return Environment(
        code_revision=code_revision(),
        python=platform.python_version(),
        versions=package_versions(),
        platform=platform.platform(),
        cpu=cpu_name(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        accelerator=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
    )


@cache
def package_versions() -> dict[str, str]:
    """Installed versions; a package that is not there reads ``missing``."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


@cache
def code_revision() -> str:
    """The commit of the checkout, with ``+changes`` when files differ from it; else the version."""
    root = Path(__file__).resolve().parents[2]
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return f"version {package_versions()['adviserbench']}"
    return f"{commit}{'+changes' if changed else ''}"


@cache
def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words
        ["git", "-C", str(root), *words],  # noqa: S607 - the user's own git
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
