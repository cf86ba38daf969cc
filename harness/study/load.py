"""From a YAML file and dotted overrides to a checked study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from yaml import YAMLError

from harness.registry import first_fault
from harness.spec import STUDY_ADAPTER, AblationStudy, BadInput, GridStudy, nearest


def load_study(path: Path, overrides: Sequence[str] = ()) -> AblationStudy | GridStudy:
    """The study of a file, after overrides such as ``data.path=mosi.pkl`` or ``seeds=[0,1]``.

    Raises:
        BadInput: no such file, not YAML, a key twice, an unknown key (the nearest named), a value
            out of its range.
    """
    if not path.is_file():
        raise BadInput("no such study file", file=path)
    try:
        return parse_study(_content(path, _checked(overrides)))
    except BadInput as fault:
        raise fault.at(file=path) from fault


def parse_study(content: Any) -> AblationStudy | GridStudy:
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
    """The JSON Schema of study files."""
    schema = STUDY_ADAPTER.json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AdviserBench study",
        **schema,
    }


def _content(path: Path, overrides: list[str]) -> Any:
    try:
        raw = OmegaConf.load(path)
        changes = OmegaConf.from_dotlist(overrides)
        study = OmegaConf.merge(raw, changes) if OmegaConf.is_dict(raw) else raw
        return OmegaConf.to_container(study, resolve=True)
    except YAMLError as error:
        raise BadInput(_yaml_fault(error)) from error
    except (OmegaConfBaseException, ValueError) as error:
        raise BadInput(str(error).splitlines()[0]) from error


def _checked(overrides: Sequence[str]) -> list[str]:
    for override in overrides:
        if "=" not in override:
            raise BadInput(f"an override reads key=value, given '{override}'", key="OVERRIDES")
    return list(overrides)


def _yaml_fault(error: YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    return f"{problem}{f' (line {mark.line + 1})' if mark else ''}"


def _study_fault(error: ValidationError) -> BadInput:
    found = error.errors(include_url=False)[0]
    # The first part of a location is the kind, which selects the type and is no key of the file.
    location = [
        part for part in found["loc"] if part not in {"ablation", "grid"} or part != found["loc"][0]
    ]
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
    node = definitions["AblationStudy" if kind == "ablation" else "GridStudy"]
    for parent in parents:
        properties = node.get("properties", {})
        node = properties.get(parent, node.get("additionalProperties", {}))
        options = [node, *node.get("anyOf", [])]
        node = next((option for option in options if "$ref" in option or "properties" in option), node)
        node = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
        if "additionalProperties" not in node and "properties" not in node:
            node = next((o for o in options if "additionalProperties" in o), node)
    return frozenset(node.get("properties", {}))
