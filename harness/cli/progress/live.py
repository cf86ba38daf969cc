"""Progress on a terminal: what ended scrolls by, what is under way stands below it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cli.durations import duration
from harness.cli.progress import words
from harness.cli.progress.silent import SilentWatcher
from harness.cli.progress.state import StudyState
from harness.spec import Plan, State, TrialResult
from harness.store.claims import Claim
from harness.study.launch.base import Event, Lost, Stuck

TICKS_PER_SECOND = 1
"""How often the view is drawn while nothing happens, for its clock."""

MIN_SECONDS = 0.3
"""Between two drawings because something happened."""

BEST_LINES = 4


class LiveWatcher(SilentWatcher):
    """The study's bar, its best trials, a line a worker, and what waits for others or for the store.

    Epochs may come a thousand a second: nothing is drawn more often than `MIN_SECONDS` says, and lines
    of trials that ended wait for the next drawing.
    """

    def __init__(self, console: Console | None = None, state: StudyState | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.state = state or StudyState()
        self._began = self._drawn = self.state.clock()
        # Held while the state changes and while it is read, never while anything is printed: the
        # view's own thread takes its lock first and this one second.
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._did_anything = False
        self._live = Live(
            console=self.console,
            get_renderable=self.view,
            refresh_per_second=TICKS_PER_SECOND,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._print_lines()
        self._live.stop()
        self.state.stopped()
        if self._did_anything:
            spent = duration(self.state.clock() - self._began)
            self._lines.append(f"{self.state.name}: {words.tally(self.state)} in {spent}")
            self._print_lines()

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """What reading a data set found, a line each."""
        self._lines += [f"{data}: {finding}" for finding in findings]
        self._draw(at_once=True)

    def planned(self, plan: Plan, states: Mapping[str, State], workers: int) -> None:
        """What there is to do; the view appears if there is anything."""
        with self._lock:
            is_first = not self.state.name
            self.state.planned(plan, states, workers)
        if is_first:
            self._lines.append(words.opening(self.state))
        if self.state.done < self.state.total or self.state.is_open:
            self._did_anything = True
            self._live.start()
        self._draw(at_once=True)

    def event(self, event: Event) -> None:
        """Follows a worker; one that was lost, or could not do its work, has a line."""
        with self._lock:
            self.state.event(event)
        if isinstance(event, Lost | Stuck):
            what = "lost" if isinstance(event, Lost) else "stuck"
            label = self.state.label(event.trial_id)
            self._lines.append(f"{label}: {what}: {event.worker}: {event.reason}")
        self._draw()

    def finished(self, result: TrialResult) -> None:
        """How the trial ended."""
        with self._lock:
            self.state.finished(result)
        self._lines.append(words.outcome(self.state.label(result.trial_id), result))
        self._draw()

    def elsewhere(self, claims: Mapping[str, Claim], states: Mapping[str, State]) -> None:
        """What other runners are at."""
        with self._lock:
            self.state.elsewhere(claims, states)
        self._draw()

    def buffered(self, count: int, fault: str) -> None:
        """What waits for the store."""
        with self._lock:
            self.state.buffered(count, fault)
        self._draw()

    def said(self, line: str) -> None:
        """The line."""
        self._lines.append(line)
        self._draw(at_once=True)

    def view(self) -> RenderableType:
        """What stands below the lines, no higher than the terminal."""
        with self._lock:
            head = [self._bar(), *map(_line, self._progress())]
            best = words.best_lines(self.state)
            more = [f"and {len(best) - BEST_LINES} more"] if len(best) > BEST_LINES else []
            head += [_line(line) for line in best[:BEST_LINES] + more]
            foot = [
                Text(line, style="yellow", overflow="fold")
                for line in (words.others(self.state), words.buffered(self.state))
                if line
            ]
            room = self.console.height - len(head) - 2 * len(foot) - 2
            return Group(*head, *self._workers(max(1, room)), *foot)

    def _bar(self) -> RenderableType:
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(no_wrap=True, overflow="ellipsis", max_width=self.console.width // 2)
        row.add_column(ratio=1)
        row.add_column(no_wrap=True)
        of = "of at least" if self.state.is_open else "of"
        row.add_row(
            Text(self.state.name, style="bold"),
            ProgressBar(total=max(1, self.state.total), completed=self.state.done),
            f"{self.state.done} {of} {self.state.total}",
        )
        return row

    def _progress(self) -> list[str]:
        spent = duration(self.state.clock() - self._began)
        parts = [words.tally(self.state), f"{spent}, {words.time_left(self.state)}"]
        line = " · ".join(parts)
        return [line] if cell_len(line) <= self.console.width else parts

    def _workers(self, room: int) -> list[RenderableType]:
        running = sorted(self.state.running.values(), key=lambda one: one.worker)
        hidden = len(running) - room if len(running) > room else 0
        now = self.state.clock()
        cells = [
            (one.worker[:20], one.label, words.at(one), duration(now - one.began))
            for one in running[: len(running) - hidden]
        ]
        rows = _columns(cells, self.console.width)
        shown: list[RenderableType] = [rows] if running else []
        return [*shown, _line(f"and {hidden} more workers")] if hidden else shown

    def _draw(self, *, at_once: bool = False) -> None:
        now = self.state.clock()
        if not at_once and now - self._drawn < MIN_SECONDS:
            return
        self._drawn = now
        with self.console:
            self._print_lines()
            if self._live.is_started:
                self._live.refresh()

    def _print_lines(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self.console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _columns(cells: Sequence[tuple[str, str, str, str]], width: int) -> Table:
    """Worker, trial, where it is and since when; only the trial's name is cut where that is too wide."""
    taken = sum(max((cell_len(row[column]) for row in cells), default=0) for column in (0, 2, 3))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column(no_wrap=True, overflow="ellipsis", max_width=max(8, width - taken - 8))
    rows.add_column(no_wrap=True)
    rows.add_column(no_wrap=True, justify="right", style="dim")
    for row in cells:
        rows.add_row(*map(Text, row))
    return rows
