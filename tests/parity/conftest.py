"""Parity is only asked for where the peer is installed: the environment of ``tox -e parity``."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("MMSA") else ["test_*.py", "pairs/*.py"]


def pytest_addoption(parser):
    """The file that training times are measured on."""
    parser.addoption("--features", default=None, help="an MMSA pickle; default: made-up features")


def pytest_terminal_summary(terminalreporter):
    """How many ports were compared with the peer, in how many checks."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", ())]
    compared = [name.partition("[")[2].rstrip("]") for name in passed if "/test_parity.py::" in name]
    ports = {name.partition("-")[0] for name in compared}
    if compared:
        terminalreporter.write_line(f"parity: {len(ports)} ports, {len(compared)} checks of them passed")
