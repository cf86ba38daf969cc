"""What Optuna keeps of searches: a study an arm, in a journal file or any database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from harness.spec import BadInput
from harness.store import StoreFault
from harness.store.claims import Claims
from harness.store.reachable import with_driver, without_password
from harness.study.search.journal import open_journal
from harness.study.search.rounds import ArmSearch
from harness.study.search.sampler import quiet_optuna

IDENTITY = "identity"
"""Attribute of an Optuna study: which search it is of."""


class History:
    """The ended trials of searches, in whole rounds, as they were when the next round was proposed.

    Complete or not, what is here is what later trials were proposed from. What is missing can be had
    again from the result store, so nothing depends on it but how fast a search is taken up again.
    """

    def __init__(self, url: str | None, journal: Path, claims: Callable[[], Claims]) -> None:
        """`url` of a database, or None for the journal; `claims` is called before the first write."""
        quiet_optuna()
        self.said: tuple[str, ...] = ()
        self._url, self._journal, self._open_claims = url, journal, claims
        self._claims: Claims | None = None
        self._database: BaseStorage | None = None

    @property
    def where(self) -> str:
        """The file or the database, without its password."""
        return str(self._journal) if self._url is None else without_password(self._url)

    def read(self, search: ArmSearch) -> tuple[FrozenTrial, ...]:
        """The trials of this search by number, as far as they follow each other from 0.

        Raises:
            StoreFault: the place cannot be read for now.
        """
        return self.of(search.name, search.identity)[: search.settings.trials]

    def of(self, name: str, identity: str | None = None) -> tuple[FrozenTrial, ...]:
        """The trials under that name, of that search only or of whichever it is.

        Raises:
            StoreFault: the place cannot be read for now.
        """
        if self._url is None and not self._journal.exists():
            return ()
        with self._storage() as storage:
            study = _find(storage, name)
            if study is None or identity not in {None, study.user_attrs.get(IDENTITY)}:
                return ()
            return _by_number(study)

    def append(self, search: ArmSearch, trials: Sequence[FrozenTrial]) -> bool:
        """Writes those of the trials, which are all from number 0 on, that are missing.

        False, and nothing is written, if another runner is at it. An Optuna study of the same name
        whose search was another one is kept under that name and its identity.

        Raises:
            StoreFault: the place takes nothing for now.
        """
        if self._claims is None:
            self._claims = self._open_claims()
        claim = f"optuna/{search.name}"
        if not self._claims.take(claim):
            return False
        try:
            with self._storage() as storage:
                study = _own(storage, search)
                for trial in trials[len(_by_number(study)) :]:
                    study.add_trial(trial)
        finally:
            self._claims.release(claim)
        return True

    @contextmanager
    def _storage(self) -> Iterator[BaseStorage]:
        try:
            yield self._open()
        except StoreFault:
            raise
        except (OSError, SQLAlchemyError, StorageInternalError) as error:
            # What is broken is opened anew the next time.
            self._database = None
            raise StoreFault(f"{self.where}: {_one_line(error)}") from error

    def _open(self) -> BaseStorage:
        if self._url is None:
            # A journal is opened every time: it may have been set aside by another runner.
            storage, said = open_journal(self._journal)
            self.said += (said,) if said else ()
            return storage
        if self._database is None:
            self._database = _database(self._url)
        return self._database


def _database(url: str) -> BaseStorage:
    try:
        return RDBStorage(with_driver(url), engine_kwargs={"pool_pre_ping": True})
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise BadInput(
            f"expected a database URL such as postgresql://host/name and its driver, given "
            f"'{without_password(url)}': {_one_line(error)}",
            key="search.storage",
        ) from error


def _find(storage: BaseStorage, name: str) -> optuna.Study | None:
    if name not in optuna.get_all_study_names(storage):
        return None
    return optuna.load_study(study_name=name, storage=storage)


def _own(storage: BaseStorage, search: ArmSearch) -> optuna.Study:
    """The Optuna study of this search, made if there is none."""
    study = _find(storage, search.name)
    known = study.user_attrs.get(IDENTITY, search.identity) if study else search.identity
    if known != search.identity:
        _put_aside(storage, search.name, f"{search.name} ({known})")
        study = None
    if study is None:
        study = optuna.create_study(
            study_name=search.name, storage=storage, directions=search.directions
        )
    if IDENTITY not in study.user_attrs:
        study.set_user_attr(IDENTITY, search.identity)
    return study


def _put_aside(storage: BaseStorage, name: str, aside: str) -> None:
    if aside in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=aside, storage=storage)
    optuna.copy_study(
        from_study_name=name, from_storage=storage, to_storage=storage, to_study_name=aside
    )
    optuna.delete_study(study_name=name, storage=storage)


def _by_number(study: optuna.Study) -> tuple[FrozenTrial, ...]:
    """The first record of each number, up to the first that is missing."""
    first: dict[int, FrozenTrial] = {}
    for trial in study.get_trials():
        first.setdefault(trial.user_attrs.get("number", -1), trial)
    return tuple(first[number] for number in takewhile(first.__contains__, count()))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split("\n(Background", maxsplit=1)[0].split()) or type(error).__name__
