"""What makes two trials the same trial."""

from __future__ import annotations

import hashlib
import json
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
    return digest({"spec": _identity(spec), "data": fingerprint})


def group_id(spec: TrialSpec, fingerprint: str) -> str:
    """The identity a trial shares with its twins under other seeds."""
    return digest({"spec": _without_seeds(_identity(spec)), "data": fingerprint})


def _identity(spec: TrialSpec) -> dict[str, Any]:
    content: dict[str, Any] = spec.model_dump(mode="json", exclude={"teacher"})
    content["data"] = {key: value for key, value in content["data"].items() if key not in LOCATION_KEYS}
    content["teacher"] = None if spec.teacher is None else _identity(spec.teacher)
    return content


def _without_seeds(content: dict[str, Any]) -> dict[str, Any]:
    teacher = content["teacher"]
    kept = {key: value for key, value in content.items() if key != "seed"}
    return {**kept, "teacher": None if teacher is None else _without_seeds(teacher)}
