"""A PostgreSQL server of the tests' own, which can be stopped and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tracking_server import free_port

USER = "adviser"


def find_binaries() -> Path | None:
    """The folder of initdb and pg_ctl, of Debian's newest version or on the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    on_path = shutil.which("pg_ctl")
    folders = [*reversed(installed), *([Path(on_path).parent] if on_path else [])]
    return next((path for path in folders if (path / "initdb").exists()), None)


class PostgresServer:
    """Listens on a free port of this machine only, and trusts everyone there."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder = folder
        self._binaries = binaries
        self._port = free_port()
        self._data = folder / "data"
        if os.geteuid() == 0:
            # It refuses to run as root.
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "--no-sync")

    def uri(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}:hidden@127.0.0.1:{self._port}/{database}"

    def create(self, database: str) -> str:
        """The URI of a new, empty database."""
        host = ("-h", "127.0.0.1", "-p", str(self._port), "-U", USER)
        self._run("createdb", *host, database)
        return self.uri(database)

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self._port} -k {self._folder} -F"
        self._ctl("start", "-o", options, "-l", str(self._folder / "log"))

    def is_running(self) -> bool:
        return (self._data / "postmaster.pid").exists()

    def stop(self) -> None:
        self._ctl("stop", "-m", "immediate")

    def _ctl(self, what: str, *more: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "60", *more, what)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # pg_ctl leaves a server behind that would keep a pipe open.
        with (self._folder / "output").open("a") as output:
            subprocess.run(command, cwd=self._folder, stdout=output, stderr=output, check=True)
