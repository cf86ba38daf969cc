"""A measuring process: one row alone, or all of them side by side."""

from __future__ import annotations

import pickle
import signal
from pathlib import Path
from time import perf_counter_ns

from harness.study.launch.lifeline import die_with

COMMAND = (
    "import sys; given = sys.argv[1:5]; sys.path[:] = sys.argv[5:]; "
    "from harness.study.bench.measure import main; main(*given)"
)
"""What the interpreter is given: the parent's `sys.path` is the child's."""


def main(order_file: str, answer_file: str, parent: str, spawned: str) -> None:
    """Measures what the order says, and leaves the answer.

    Args:
        order_file: plug-ins, whether a row is measured alone, and the order, which is unpickled when
            everything it is made of has been imported and that time is known.
        answer_file: where the answer goes.
        parent: the process that this one must not outlive.
        spawned: the clock (ns) when it was asked for, which all processes of a machine share.
    """
    # Ctrl-C is the parent's, and its end is this one's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(int(parent))
    from harness.engine.bench.alone import alone
    from harness.engine.bench.together import together
    from harness.registry import discover

    plugins, is_alone, content = pickle.loads(Path(order_file).read_bytes())  # noqa: S301 - the parent's
    discover(plugins)
    imports = (perf_counter_ns() - int(spawned)) / 1e9
    order = pickle.loads(content)  # noqa: S301 - the parent's
    answer = alone(order, imports) if is_alone else together(order)
    Path(answer_file).write_bytes(pickle.dumps(answer))
