"""From a YAML file and dotted overrides to a checked study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.registry import first_fault
from harness.spec import STUDY_ADAPTER, BadInput, Study, nearest
from harness.study.content import EXTENDS, study_content

_TYPES = ("AblationStudy", "GridStudy", "SearchStudy")
"""Of study files, as the schema calls them."""


def load_study(path: Path, overrides: Sequence[str] = ()) -> Study:
    """The study of a file, after overrides such as ``data.path=mosi.pkl`` or ``seeds=[0,1]``.

    Raises:
        BadInput: no such file, not YAML, a key twice, an unknown key (the nearest named), a value
            out of its range.
    """
    if not path.is_file():
        raise BadInput("no such study file", file=path)
    try:
        return parse_study(study_content(path, overrides))
    except BadInput as fault:
        raise fault.at(file=path) from fault


def parse_study(content: Any) -> Study:
    """The study that plain containers describe.

    Raises:
        BadInput: as in `load_study`, without the file.
    """
    if not isinstance(content, Mapping):
        raise BadInput(
            f"expected a mapping with kind, name, data, seeds and base, given {content!r:.60}"
        )
    try:
        return STUDY_ADAPTER.validate_python(content)
    except ValidationError as error:
        raise _study_fault(error) from error


def study_schema() -> dict[str, Any]:
    """The JSON Schema of study files; one that extends another need not say everything itself."""
    schema = STUDY_ADAPTER.json_schema()
    for study in _TYPES:
        definition = schema["$defs"][study]
        definition["properties"][EXTENDS] = {
            "type": "string",
            "description": "study file, relative to this one, whose keys this one is laid over",
        }
        definition |= {
            "if": {"not": {"required": [EXTENDS]}},
            "then": {"required": definition["required"]},
            "required": ["kind", "name"],
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AdviserBench study",
        **schema,
    }


def _study_fault(error: ValidationError) -> BadInput:
    found = error.errors(include_url=False)[0]
    schema = STUDY_ADAPTER.json_schema()
    if found["type"] != "extra_forbidden":
        keys, _ = _walk(schema, found["loc"])
        return BadInput(first_fault(error).message, key=".".join(keys))
    *parents, given = found["loc"]
    keys, node = _walk(schema, parents)
    hint = nearest(str(given), node.get("properties", {}))
    return BadInput(f"unknown key; {hint}", key=".".join((*keys, str(given))))


def _walk(schema: dict[str, Any], location: Sequence[Any]) -> tuple[list[str], dict[str, Any]]:
    """The keys of the file at a location of pydantic's, and what the schema says of that place.

    A location also has the names of the types that a kind or a name selects, which are no keys.
    """
    keys: list[str] = []
    node = schema
    for part in map(str, location):
        types = node.get("discriminator", {}).get("mapping", {})
        if part in types:
            node = _resolved(schema, {"$ref": types[part]})
        else:
            keys.append(part)
            inner = node.get("properties", {}).get(part, node.get("additionalProperties", {}))
            node = _resolved(schema, inner if isinstance(inner, dict) else {})
    return keys, node


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node that a reference, or one with null beside it, stands for."""
    for option in node.get("anyOf", ()):
        if option != {"type": "null"}:
            return _resolved(schema, option)
    if "$ref" in node:
        found: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
        return found
    return node
