"""Packages that only some studies need, and the extra of this one that installs them."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from importlib.util import find_spec

from harness.spec import BadInput


def find_extra(module: str, *, extra: str, key: str) -> ModuleSpec:
    """Where an optional package is; it is not imported.

    Raises:
        BadInput: it is not installed; `key` is the parameter that asked for it.
    """
    found = find_spec(module)
    if found is None:
        raise BadInput(
            f"the package {module} is not installed; it comes with pip install 'adviserbench[{extra}]'",
            key=key,
        )
    return found
