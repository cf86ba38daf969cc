"""From a YAML file and dotted overrides to a checked study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.registry import first_fault
from harness.spec import STUDY_ADAPTER, BadInput, Study, nearest
from harness.study.content import EXTENDS, study_content

_KINDS = {"ablation": "AblationStudy", "grid": "GridStudy", "search": "SearchStudy"}
"""From a study's kind to its type."""


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
    for study in _KINDS.values():
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
    # The first part of a location is the kind, which selects the type and is no key of the file.
    location = [part for part in found["loc"] if part not in _KINDS or part != found["loc"][0]]
    if found["type"] != "extra_forbidden":
        fault = first_fault(error)
        return BadInput(fault.message, key=".".join(str(part) for part in location))
    *parents, given = (str(part) for part in location)
    hint = nearest(given, _known_keys(str(found["loc"][0]), parents))
    return BadInput(f"unknown key; {hint}", key=".".join((*parents, given)))


def _known_keys(kind: str, parents: Iterable[str]) -> frozenset[str]:
    """The keys that the schema allows at a place, found by walking it from the study down."""
    schema = STUDY_ADAPTER.json_schema()
    definitions = schema["$defs"]
    node = definitions[_KINDS[kind]]
    for parent in parents:
        properties = node.get("properties", {})
        node = properties.get(parent, node.get("additionalProperties", {}))
        options = [node, *node.get("anyOf", [])]
        node = next((option for option in options if "$ref" in option or "properties" in option), node)
        node = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
        if "additionalProperties" not in node and "properties" not in node:
            node = next((o for o in options if "additionalProperties" in o), node)
    return frozenset(node.get("properties", {}))
