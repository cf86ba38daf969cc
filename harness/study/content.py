"""What a study file says, together with the file that it extends and with overrides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from harness.spec import BadInput
from harness.study.merge import merge

EXTENDS = "extends"
"""Key of the file, relative to the one that names it, whose keys a study file is laid over."""


def study_content(path: Path, overrides: Sequence[str]) -> Any:
    """The plain containers of a study file, overridden by ``key=value`` and interpolated.

    Raises:
        BadInput: no such file, not YAML, a key twice, a file that extends itself; or an override
            that is none.
    """
    for override in overrides:
        if "=" not in override:
            raise BadInput(f"an override reads key=value, given '{override}'", key="OVERRIDES")
    content = _extended(path, ())
    try:
        changes = OmegaConf.to_container(OmegaConf.from_dotlist(list(overrides)))
        if isinstance(content, dict) and isinstance(changes, dict):
            content = _laid_over(content, changes)
        return OmegaConf.to_container(OmegaConf.create(content), resolve=True)
    except YAMLError as error:
        raise BadInput(_yaml_fault(error), key="OVERRIDES") from error
    except (OmegaConfBaseException, ValueError) as error:
        raise BadInput(str(error).splitlines()[0]) from error


def _extended(path: Path, above: tuple[Path, ...]) -> Any:
    """The file's content over that of the file it extends, interpolations left as they are."""
    try:
        content = OmegaConf.to_container(OmegaConf.load(path))
    except YAMLError as error:
        raise BadInput(_yaml_fault(error), file=path) from error
    except (OmegaConfBaseException, ValueError) as error:
        raise BadInput(str(error).splitlines()[0], file=path) from error
    if not isinstance(content, dict) or EXTENDS not in content:
        return content
    below = path.parent / str(content.pop(EXTENDS))
    chain = (*above, path.resolve())
    if below.resolve() in chain:
        raise BadInput(f"'{below}' extends itself", file=path, key=EXTENDS)
    if not below.is_file():
        raise BadInput(f"no such study file: '{below}'", file=path, key=EXTENDS)
    return _laid_over(dict(_extended(below, chain)), content)


def _laid_over(base: dict[Any, Any], own: dict[Any, Any]) -> dict[str, Any]:
    # The name is the study's own, and no variant's: it must not make `merge` drop what is below.
    named = {str(key): value for key, value in own.items()}
    return merge({**base, "name": named.get("name", base.get("name"))}, named)


def _yaml_fault(error: YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    return f"{problem}{f' (line {mark.line + 1})' if mark else ''}"
