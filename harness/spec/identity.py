"""What makes two trials the same trial."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

from harness.spec.trial import TrialSpec

# Where the data lies is not what the data is: the fingerprint says the latter.
LOCATION_KEYS = frozenset({"path", "sentences_path"})


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, floats as Python writes them."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any, length: int = 16) -> str:
    """The first `length` hex digits of the SHA-256 of `canonical_json(value)`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def trial_id(spec: TrialSpec, fingerprint: str) -> str:
    """The identity of a trial on data with this fingerprint."""
    return digest({"spec": _identity(spec, with_seeds=True), "data": fingerprint})


def group_id(spec: TrialSpec, fingerprint: str) -> str:
    """The identity a trial shares with its twins under other seeds."""
    return digest({"spec": _identity(spec, with_seeds=False), "data": fingerprint})


def _identity(spec: TrialSpec, *, with_seeds: bool) -> dict[str, Any]:
    left_out = {"teacher"} if with_seeds else {"teacher", "seed"}
    content: dict[str, Any] = spec.model_dump(mode="json", exclude=left_out)
    content["data"] = {key: value for key, value in content["data"].items() if key not in LOCATION_KEYS}
    teacher = spec.teacher
    content["teacher"] = None if teacher is None else _of_teacher(teacher.model_dump_json(), with_seeds)
    return content


@lru_cache(maxsize=4096)
def _of_teacher(spec: str, with_seeds: bool) -> str:
    """A digest in the student's identity; thousands of students share a teacher."""
    return digest(_identity(TrialSpec.model_validate_json(spec), with_seeds=with_seeds))
