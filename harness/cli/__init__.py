"""The command line; the one place that sees both the harness and the reports."""

from harness.cli.app import main

__all__ = ["main"]
