"""Runs what is missing of a study, together with whoever else runs it on the same store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from harness.engine.advice import ADVICE_FILE
from harness.spec import Plan, SearchStudy, SerialLaunch, Study, TrialResult, VariantRef
from harness.store import BufferedStore, Courier, Outbox, ResultStore, StoreFault
from harness.store.claims import Claims, Heart
from harness.study.expand import Cell, expand
from harness.study.launch import open_launcher
from harness.study.orders import Orders
from harness.study.place import Place
from harness.study.planner import FixedPlanner, Planner
from harness.study.prepare import load_checked, prepared_readers
from harness.study.shift import Services, Shift
from harness.study.watch import Watcher
from harness.types import Dataset

CLOSING_SECONDS = 20.0
"""How long a run that is done waits for a store that takes nothing."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        store: to read from: what it holds, and what is still on its way there.
        ran: results of the trials that this run executed, in the order in which they ended.
        failed: how many trials that the table needs have no complete result.
        undelivered: how many finished trials the store has not taken; they wait in the outbox.
    """

    plan: Plan
    store: ResultStore
    ran: tuple[TrialResult, ...]
    failed: int
    undelivered: int = 0


def run_study(study: Study, place: Place, watcher: Watcher, plugins: Sequence[str] = ()) -> Outcome:
    """Runs the trials that the store does not have; those that failed before are run again.

    Raises:
        BadInput: the study or its data cannot be used; nothing was written then.
        StoreFault: the store or a disk takes nothing any more; what had finished is kept.
    """
    cells = expand(study)
    _check_spaces(study)
    readers = prepared_readers(cells)
    fingerprints = {ref: reader.fingerprint() for ref, reader in readers.items()}
    outbox = Outbox(place.outbox)
    inner = place.store() if place.exists else None
    store = BufferedStore(inner, outbox) if inner else None
    planner = _planner(study, cells, fingerprints, place)
    again = _again(planner, store) if store else frozenset()
    loaded: dict[VariantRef, Dataset] = {}
    if _is_to_run(planner, store, again):
        loaded = load_checked(study, readers, cells, watcher)
    inner = inner or place.store()
    store = store or BufferedStore(inner, outbox)
    work = _Work(study, planner, inner, store, outbox, place, watcher, tuple(plugins))
    ran, undelivered = work.run(loaded, again)
    return Outcome(planner.plan, store, ran, _failed(planner.plan, store), undelivered)


@dataclass(frozen=True)
class _Work:
    """A study with everything opened that it needs, and closed again whatever happens."""

    study: Study
    planner: Planner
    inner: ResultStore
    store: BufferedStore
    outbox: Outbox
    place: Place
    watcher: Watcher
    plugins: tuple[str, ...]

    def run(
        self, loaded: dict[VariantRef, Dataset], again: frozenset[str]
    ) -> tuple[tuple[TrialResult, ...], int]:
        """The results of what ran here, and how many of them the store has not taken."""
        claims = self.place.claims()
        with self._heart(claims), self._courier(claims) as courier:
            self._adopt(claims, courier)
            launcher = open_launcher(self.study.launch, self.study.runtime, loaded.__getitem__)
            orders = Orders(
                self.planner, self.store, self.place, self.plugins, neighbours=launcher.width - 1
            )
            launch = self.study.launch
            services = Services(
                store=self.store,
                outbox=self.outbox,
                courier=courier,
                claims=claims,
                launcher=launcher,
                watcher=self.watcher,
                order=orders.of,
                retries=0 if isinstance(launch, SerialLaunch) else launch.retries,
            )
            shift = Shift(self.planner, services, again)
            try:
                shift.run()
            finally:
                launcher.stop()
                for trial in shift.under_way:
                    _release(claims, trial)
            undelivered = courier.close(CLOSING_SECONDS)
        return tuple(shift.ran), undelivered

    @contextmanager
    def _heart(self, claims: Claims) -> Iterator[None]:
        with Heart(claims, _let_run):
            yield

    @contextmanager
    def _courier(self, claims: Claims) -> Iterator[Courier]:
        courier = Courier(self.inner, self.outbox, claims.release)
        try:
            yield courier
        finally:
            # Closing twice is fine; when something went wrong, nobody wants to wait long.
            courier.close(2.0)

    def _adopt(self, claims: Claims, courier: Courier) -> None:
        """Takes over what a killed runner had finished and not delivered."""
        for trial in self.outbox.ids():
            if claims.take(trial):
                courier.deliver(trial)


def _planner(
    study: Study, cells: tuple[Cell, ...], fingerprints: dict[VariantRef, str], place: Place
) -> Planner:
    if not isinstance(study, SearchStudy):
        return FixedPlanner(study, cells, fingerprints)
    from harness.study.search.planner import SearchPlanner

    return SearchPlanner(study, fingerprints, place)


def _check_spaces(study: Study) -> None:
    """Before data is made, which may take minutes."""
    if isinstance(study, SearchStudy):
        from harness.study.search.legality import checked_spaces

        checked_spaces(study)


def _again(planner: Planner, store: ResultStore) -> frozenset[str]:
    """Trials that ended and are to be run once more: failures, damaged records, teachers without advice.

    The trials of a search are what they are: later ones were proposed from them.
    """
    while planner.advance(store.get):
        pass
    plan = planner.plan
    searched = {trial.trial_id for trial in plan.searches}
    ended = store.states(plan.trials)
    complete = store.complete([trial for trial, state in ended.items() if state == "complete"])
    bad = {trial for trial in ended if trial not in complete and trial not in searched}
    needed = {
        teacher
        for trial in plan.trials.keys() - complete
        for teacher in plan.teachers.get(trial, ())
        if teacher in complete
    }
    return frozenset(bad | {teacher for teacher in needed if _lacks_advice(store, teacher)})


def _lacks_advice(store: ResultStore, teacher: str) -> bool:
    return store.artifact(teacher, ADVICE_FILE) is None


def _is_to_run(planner: Planner, store: ResultStore | None, again: frozenset[str]) -> bool:
    if store is None or again or planner.plan.is_open:
        return True
    return len(store.states(planner.plan.trials)) < len(planner.plan.trials)


def _failed(plan: Plan, store: ResultStore) -> int:
    """Trials without a complete result; one that a search gave up or saw fail counts by its arm only."""
    searched = {trial.trial_id for trial in plan.searches}
    needed = [trial for trial in plan.trials if trial not in searched]
    states = store.states(needed)
    without_choice = {trial.arm for trial in plan.searches} - {one.arm for one in plan.chosen.values()}
    return sum(states.get(trial) != "complete" for trial in needed) + len(without_choice)


def _let_run(names: frozenset[str]) -> None:
    """Trials taken from a runner that slept run on: of two results the courier stores one."""


def _release(claims: Claims, trial: str) -> None:
    # What cannot be given up now expires by itself.
    with suppress(StoreFault):
        claims.release(trial)
