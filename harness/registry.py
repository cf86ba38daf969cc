"""The registries: which variants exist, how each is configured, and where it comes from.

A variant is a class with one decorator::

    @LOSSES.register("step2", config=Step2Config, paper="arXiv 2309.15494", tiny={})
    class Step2: ...

Importing its module registers it. `discover` imports every module of the built-in packages and of
the plug-ins, so nothing in the harness knows a variant by name.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from harness.spec import BadInput, Kind, Space, VariantConfig, VariantRef, nearest

BUILTIN_PACKAGES = (
    "harness.data",
    "harness.teachers",
    "harness.students",
    "harness.losses",
    "harness.backends",
    "baselines",
)
ENTRY_POINT_GROUP = "adviserbench.plugins"

C = TypeVar("C", bound=VariantConfig)
T = TypeVar("T", bound=type)


@dataclass(frozen=True)
class Entry(Generic[C]):
    """A registered variant.

    `tiny` are the parameters of its smallest useful version: what contract tests and
    ``adviserbench run --tiny`` use. `space` is what a search tries for its parameters, and for the
    weight if it is a loss; a parameter that is not in it keeps its value.
    """

    kind: Kind
    name: str
    config: type[C]
    builder: type
    paper: str
    tiny: Mapping[str, Any]
    space: Mapping[str, Space]

    @property
    def where(self) -> str:
        """Module and class, for messages."""
        return f"{self.builder.__module__}.{self.builder.__qualname__}"

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the variant's parameters."""
        return frozenset(self.config.model_fields)

    @property
    def summary(self) -> str:
        """The first line of the variant's docstring."""
        return (self.builder.__doc__ or "").strip().partition("\n")[0]

    def configure(self, params: Mapping[str, Any]) -> C:
        """The variant's configuration.

        Raises:
            BadInput: a parameter is unknown (the nearest are named) or out of its range.
        """
        unknown = sorted(params.keys() - self.parameters)
        if unknown:
            hint = nearest(unknown[0], self.parameters)
            raise BadInput(f"{self.kind} '{self.name}' has no such parameter; {hint}", key=unknown[0])
        try:
            return self.config.model_validate(dict(params))
        except ValidationError as error:
            raise first_fault(error) from error

    def tiny_config(self) -> C:
        """The configuration of the smallest useful version."""
        return self.configure(self.tiny)


def first_fault(error: ValidationError) -> BadInput:
    """The first finding of pydantic as one line: what was given, what was expected, under which key."""
    found = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in found["loc"])
    given = found["input"]
    # Our own validators ("value_error") say themselves what was given.
    silent = isinstance(given, Mapping) or found["type"] in {"missing", "value_error"}
    shown = "" if silent else f", given {given!r}"
    return BadInput(f"{found['msg'].removeprefix('Value error, ')}{shown}", key=key)


class Registry(Generic[C]):
    """The variants of one kind, by name."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[C]] = {}

    def register(
        self,
        name: str,
        *,
        config: type[C],
        paper: str,
        tiny: Mapping[str, Any],
        space: Mapping[str, Space] | None = None,
    ) -> Callable[[T], T]:
        """A class decorator that makes the class known under `name`.

        Raises:
            ValueError: the name is taken, by a class of another module or qualified name; a space is of
                no parameter.
        """
        searchable = {*config.model_fields, *(("weight",) if self.kind == "loss" else ())}
        for param in space or {}:
            if param not in searchable:
                hint = nearest(param, searchable)
                raise ValueError(f"{self.kind} '{name}' has a space for '{param}'; {hint}")

        def decorate(builder: T) -> T:
            entry = Entry(self.kind, name, config, builder, paper, dict(tiny), dict(space or {}))
            taken = self._entries.get(name)
            if taken is not None and taken.where != entry.where:
                raise ValueError(
                    f"{self.kind} '{name}' is registered twice: by {taken.where} and by {entry.where}"
                )
            self._entries[name] = entry
            return builder

        return decorate

    def get(self, name: str) -> Entry[C]:
        """The entry of that name.

        Raises:
            BadInput: no such name; the nearest names are given.
        """
        try:
            return self._entries[name]
        except KeyError:
            hint = nearest(name, self._entries)
            raise BadInput(f"no {self.kind} is called '{name}'; {hint}", key="name") from None

    def configure(self, ref: VariantRef) -> C:
        """The configuration a reference stands for, defaults filled in."""
        return self.get(ref.name).configure(ref.params)

    def resolve(self, ref: VariantRef) -> VariantRef:
        """The same reference with every parameter written out, as JSON holds it."""
        params = self.configure(ref).model_dump(mode="json")
        return VariantRef.model_validate({"name": ref.name, **params})

    def build(self, ref: VariantRef, *inputs: Any) -> Any:
        """An instance: the registered class called with its configuration and `inputs`."""
        entry = self.get(ref.name)
        return entry.builder(entry.configure(ref.params), *inputs)

    def __iter__(self) -> Iterator[Entry[C]]:
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """Forgets, on leaving, what was registered inside the with-block."""
        kept = dict(self._entries)
        try:
            yield
        finally:
            self._entries = kept


DATASETS: Registry[Any] = Registry("dataset")
TEACHERS: Registry[Any] = Registry("teacher")
STUDENTS: Registry[Any] = Registry("student")
BASELINES: Registry[Any] = Registry("baseline")
LOSSES: Registry[Any] = Registry("loss")
BACKENDS: Registry[Any] = Registry("backend")

REGISTRIES: dict[Kind, Registry[Any]] = {
    registry.kind: registry for registry in (DATASETS, TEACHERS, STUDENTS, BASELINES, LOSSES, BACKENDS)
}


def discover(plugins: Iterable[str] = ()) -> None:
    """Imports every module of the built-in packages, the installed plug-ins and `plugins`.

    Raises:
        BadInput: a plug-in named by the user cannot be found.
    """
    for package in (*BUILTIN_PACKAGES, *installed_plugins()):
        _import_all(package)
    for plugin in plugins:
        try:
            _import_all(plugin)
        except ModuleNotFoundError as error:
            if error.name is None or not plugin.startswith(error.name):
                raise
            raise BadInput(f"no module is called '{plugin}'", key="--plugin") from error


def installed_plugins() -> tuple[str, ...]:
    """Modules that installed packages name as plug-ins, under `ENTRY_POINT_GROUP`."""
    return tuple(sorted({point.module for point in entry_points(group=ENTRY_POINT_GROUP)}))


def _import_all(name: str) -> None:
    module = import_module(name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
        import_module(found.name)
