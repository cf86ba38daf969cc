"""How a running study shows on the terminal: a live bar there, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from harness.spec import Plan, TrialResult


class SilentWatcher:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """Nothing."""

    def planned(self, plan: Plan, complete: int) -> None:
        """Nothing."""

    def started(self, trial_id: str) -> None:
        """Nothing."""

    def epoch(self, trial_id: str, epoch: int, metrics: Mapping[str, float]) -> None:
        """Nothing."""

    def finished(self, result: TrialResult) -> None:
        """Nothing."""


class ConsoleWatcher(SilentWatcher):
    """A bar of trials with the running one's epoch and loss beside it, and a line a finished trial."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[now]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.labels: dict[str, str] = {}
        self.bar: TaskID | None = None

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """What reading a data set found, a line each."""
        for finding in findings:
            self.console.print(f"{data}: {finding}", highlight=False, markup=False, soft_wrap=True)

    def planned(self, plan: Plan, complete: int) -> None:
        """Sizes of the study."""
        for member in plan.members:
            self.labels.setdefault(member.trial_id, f"{member.arm} seed {member.seed}")
        for member in plan.members:
            teachers = plan.teachers.get(member.trial_id, ())
            for number, teacher in enumerate(teachers):
                fold = f" fold {number + 1} of {len(teachers)}" if len(teachers) > 1 else ""
                self.labels.setdefault(teacher, f"teacher of {member.arm} seed {member.seed}{fold}")
        total = len(plan.trials)
        self._line(f"{plan.study.name}: {total} trials, {complete} already complete")
        self.bar = self.progress.add_task("trials", total=total, completed=complete, now="")

    def started(self, trial_id: str) -> None:
        """The trial's label beside the bar."""
        self._beside(self.labels.get(trial_id, trial_id))

    def epoch(self, trial_id: str, epoch: int, metrics: Mapping[str, float]) -> None:
        """The trial's epoch and validation error beside the bar."""
        shown = " ".join(f"{name} {value:.3f}" for name, value in metrics.items() if name == "val/mae")
        self._beside(f"{self.labels.get(trial_id, trial_id)} epoch {epoch} {shown}")

    def finished(self, result: TrialResult) -> None:
        """A line with the outcome."""
        label = self.labels.get(result.trial_id, result.trial_id)
        if result.failure is not None:
            self._line(f"{label}: FAILED: {result.failure.message}")
        else:
            self._line(
                f"{label}: {len(result.epochs)} epochs, best {result.best_epoch}, "
                f"{sum(result.seconds.values()):.1f} s, val MAE {result.metrics['val/mae']:.3f}"
            )
        if self.bar is not None:
            self.progress.advance(self.bar)

    def _line(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _beside(self, text: str) -> None:
        if self.bar is not None:
            self.progress.update(self.bar, now=text)
