"""Intents to hold a name, as runs of an MLflow experiment of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ValidationError

from harness.spec import BadInput
from harness.store.base import StoreFault
from harness.store.claims.base import Claim, Owner
from harness.store.claims.key import key_of
from harness.store.mlflow.client import experiment_id
from harness.store.mlflow.faults import reason

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT = "adviserbench-claims"

State = Literal["wanted", "held", "running"]

_KEY = "adviserbench.claim"
_NAME = "adviserbench.claim.name"
_OWNER = "adviserbench.claim.owner"
_TAKEN = "adviserbench.claim.taken"
_EXPIRES = "adviserbench.claim.expires"
_STATE = "adviserbench.claim.state"

_LONGEST_RUN_NAME = 250
_GONE = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")
"""What MLflow says of a run that is deleted, and of one that it never had."""


@dataclass(frozen=True)
class Intent:
    """That an owner wants a name, or has it."""

    run_id: str
    claim: Claim
    state: State


class Intents:
    """What is written and read of intents; every method raises `StoreFault` on any failure."""

    def __init__(self, client: MlflowClient, experiment: str = EXPERIMENT) -> None:
        self._client = client
        with _asked():
            self._experiment = experiment_id(client, experiment)

    @classmethod
    def connect(cls, uri: str) -> Self:
        """The intents behind a tracking URI."""
        from harness.store.mlflow.client import connect

        try:
            return cls(connect(uri, None)[0])
        except BadInput as error:
            raise StoreFault(error.message) from error

    def write(self, name: str, owner: Owner, lifetime_seconds: float) -> str:
        """The run id of a new intent, which everyone can read once this returns."""
        now = time.time()
        tags = {
            _KEY: key_of(name),
            _NAME: name,
            _OWNER: owner.model_dump_json(),
            _TAKEN: repr(now),
            _EXPIRES: repr(now + lifetime_seconds),
            _STATE: "wanted",
        }
        with _asked():
            run = self._client.create_run(self._experiment, tags=tags, run_name=name[:_LONGEST_RUN_NAME])
        return str(run.info.run_id)

    def find(self, name: str | None = None) -> list[Intent]:
        """All intents that are not removed, or those of one name, by run id."""
        condition = f"tags.`{_KEY}` != ''" if name is None else f"tags.`{_KEY}` = '{key_of(name)}'"
        found: list[Intent] = []
        token: str | None = None
        while True:
            with _asked():
                page = self._client.search_runs([self._experiment], condition, page_token=token)
            found += [intent for intent in map(_intent, page) if intent is not None]
            token = page.token
            if not token:
                return sorted(found, key=lambda intent: intent.run_id)

    def mark(self, run_id: str, state: State) -> bool:
        """Says what has become of an intent; False when it was removed."""
        return self._tag(run_id, _STATE, state)

    def extend(self, run_id: str, lifetime_seconds: float) -> bool:
        """Lets an intent stand for so long from now; False when it was removed."""
        return self._tag(run_id, _EXPIRES, repr(time.time() + lifetime_seconds))

    def remove(self, run_id: str) -> None:
        """Takes the intent away, if that was not done before."""
        with _asked(), _if_there():
            self._client.delete_run(run_id)

    def _tag(self, run_id: str, key: str, value: str) -> bool:
        with _asked(), _if_there() as there:
            self._client.set_tag(run_id, key, value)
            there.append(run_id)
        return bool(there)


@contextmanager
def _asked() -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise StoreFault(f"claims in MLflow: {reason(error)}") from error


@contextmanager
def _if_there() -> Iterator[list[str]]:
    """A list that stays empty when the run that the block asks for is not there."""
    from mlflow.exceptions import MlflowException

    there: list[str] = []
    try:
        yield there
    except MlflowException as error:
        if error.error_code not in _GONE:
            raise


def _intent(run: Run) -> Intent | None:
    """The run as an intent; None for one that somebody else made or changed."""
    tags: dict[str, Any] = run.data.tags
    try:
        claim = Claim(
            name=tags[_NAME],
            owner=Owner.model_validate_json(tags[_OWNER]),
            taken=float(tags[_TAKEN]),
            expires=float(tags[_EXPIRES]),
            is_running=tags[_STATE] == "running",
        )
        return Intent(run.info.run_id, claim, tags[_STATE])
    except (KeyError, ValueError, ValidationError):
        return None
