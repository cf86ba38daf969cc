"""Whoever reads what a study tells may go away."""

import os

from harness.cli.progress import json_line


def test_a_reader_that_went_away_does_not_end_a_study():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        for _ in range(3):
            json_line("said", stream, line="nobody reads this")
        # What is left in the stream when the interpreter ends goes nowhere, and complains to nobody.
        assert os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull))  # noqa: PTH116
