"""Whoever adds a variant adds a file of its name, a reference, a tiny version and a test."""

from pathlib import Path
from typing import get_args

import pytest

from harness.registry import BUILTIN_PACKAGES, REGISTRIES, discover
from harness.spec import TASKS, LossConfig, ModelConfig, OutputName, View

TESTS = Path(__file__).parent
TESTS_OF = {
    "dataset": "data",
    "teacher": "teachers",
    "student": "students",
    "baseline": "baselines",
    "loss": "losses",
    "backend": "backends",
}

discover()
VARIANTS = [
    pytest.param(entry, id=f"{kind}-{entry.name}")
    for kind, registry in REGISTRIES.items()
    for entry in registry
    if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
]

every_variant = pytest.mark.parametrize("entry", VARIANTS)


@every_variant
def test_its_file_or_package_has_its_name(entry):
    assert entry.name in entry.builder.__module__.split(".")[1:]


@every_variant
def test_it_says_what_it_is_in_one_sentence(entry):
    assert entry.summary.endswith(".")


@every_variant
def test_it_names_a_paper(entry):
    assert entry.paper.strip()


@every_variant
def test_its_tiny_version_is_valid(entry):
    assert isinstance(entry.tiny_config(), entry.config)


@every_variant
def test_its_parameters_have_defaults_and_a_line_of_help(entry):
    assert entry.config() is not None
    fields = entry.config.model_fields.items()
    assert [name for name, field in fields if not (field.description or "").strip()] == []


@every_variant
def test_it_has_a_test_file(entry):
    assert (TESTS / TESTS_OF[entry.kind] / f"test_{entry.name}.py").is_file()


@every_variant
def test_it_says_what_it_needs_and_gives(entry):
    config = entry.tiny_config()
    if isinstance(config, ModelConfig):
        assert frozenset() < config.needs() <= set(get_args(View))
        assert frozenset() < config.gives() <= set(get_args(OutputName))
        assert entry.kind == "teacher" or TASKS[config.task].asks <= config.gives()
    if isinstance(config, LossConfig):
        assert config.needs | config.advice <= set(get_args(OutputName))
