"""What killed processes and deleted studies leave behind, and how it is cleared away."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.spec import Plan
from harness.store import BufferedStore, Outbox, ResultStore
from harness.store.claims import Claims
from harness.store.outbox import OUTBOX

DRAFTS = (".new-*", ".gone-*")
"""What writers of the output folder and of the outbox call things that are not done."""

OLD_SECONDS = 3600.0
"""A draft that was touched since then may still be somebody's."""


@dataclass(frozen=True)
class Leftovers:
    """What can go.

    Attributes:
        begun: trials that the store has as running, and that nobody runs.
        unplanned: trials with results that no study of the store has in its plan.
        paths: checkpoints of trials that ended, logs of workers that are gone, old drafts.
    """

    begun: tuple[str, ...] = ()
    unplanned: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class House:
    """An output folder and the store that belongs to it."""

    out: Path
    store: ResultStore
    claims: Claims

    @property
    def outbox(self) -> Outbox:
        """Finished trials that the store does not have yet."""
        return Outbox(self.out / OUTBOX)

    @property
    def reading(self) -> BufferedStore:
        """The store with what is on its way to it."""
        return BufferedStore(self.store, self.outbox)

    def plans(self) -> dict[str, Plan]:
        """The plans of all studies."""
        found = {name: self.store.plan(name) for name in self.store.studies()}
        return {name: plan for name, plan in found.items() if plan is not None}

    def leftovers(self, study: str | None = None, *, unplanned: bool = False) -> Leftovers:
        """What can go, of one study or of all; results that no plan names only if they are asked for."""
        plans = self.plans()
        planned = {trial for plan in plans.values() for trial in plan.trials}
        chosen = planned if study is None else set(plans[study].trials)
        states = self.reading.trials()
        busy = self.claims.live().keys() | set(self.outbox.ids())
        idle = sorted(states.keys() - busy)
        paths = [
            *self._checkpoints(chosen & {trial for trial, state in states.items() if state} - busy),
            *([] if self.claims.live() else sorted((self.out / "work").glob("worker-*.log"))),
            *_old_drafts(self.out, self.outbox.folder),
        ]
        stray = [trial for trial in idle if trial not in planned] if unplanned else []
        paths += self._checkpoints(stray)
        return Leftovers(
            begun=tuple(trial for trial in idle if states[trial] is None and trial in chosen),
            unplanned=tuple(stray),
            paths=tuple(paths),
        )

    def remove(self, leftovers: Leftovers) -> int:
        """Clears them away, and dead claims with them; gives how many of those there were.

        A trial that a runner has taken up meanwhile is left to it; one that has ended keeps its result.
        """
        for trial in (*leftovers.begun, *leftovers.unplanned):
            if self.claims.take(trial):
                try:
                    if trial in leftovers.unplanned or not self.reading.states([trial]):
                        self.store.forget([trial])
                finally:
                    self.claims.release(trial)
        for path in leftovers.paths:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return self.claims.remove_dead()

    def _checkpoints(self, trials: Iterable[str]) -> list[Path]:
        folders = (self.out / "work" / trial for trial in sorted(trials))
        return [folder for folder in folders if folder.is_dir()]


def _old_drafts(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for pattern in DRAFTS:
            for draft in sorted(folder.glob(pattern)):
                with suppress(FileNotFoundError):
                    if time.time() - draft.stat().st_mtime > OLD_SECONDS:
                        yield draft
