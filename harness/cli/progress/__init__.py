"""How a running study shows: a live view on a terminal, plain lines elsewhere, JSON, or nothing."""

from __future__ import annotations

from rich.console import Console

from harness.cli.progress.json_lines import JsonWatcher, json_line
from harness.cli.progress.live import LiveWatcher
from harness.cli.progress.plain import PlainWatcher
from harness.cli.progress.silent import SilentWatcher

__all__ = [
    "JsonWatcher",
    "LiveWatcher",
    "PlainWatcher",
    "SilentWatcher",
    "choose",
    "json_line",
]

AnyWatcher = SilentWatcher | PlainWatcher | LiveWatcher | JsonWatcher


def choose(*, quiet: bool, as_json: bool) -> AnyWatcher:
    """The watcher that was asked for, to be used in a `with` block; quiet is quiet, with JSON too."""
    if quiet:
        return SilentWatcher()
    if as_json:
        return JsonWatcher()
    console = Console(stderr=True)
    # A dumb terminal, such as an editor's, cannot draw over what it has shown.
    is_live = console.is_terminal and not console.is_dumb_terminal
    return LiveWatcher(console) if is_live else PlainWatcher(console)
