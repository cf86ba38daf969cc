"""The registries: how a variant gets its name, and what happens to a wrong one."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from pydantic import Field

from harness.registry import LOSSES, REGISTRIES, Registry, discover
from harness.spec import BadInput, VariantConfig, VariantRef


class Settings(VariantConfig):
    temperature: float = Field(4.0, gt=0, description="softens both sides")
    levels: int = Field(7, ge=2, description="sentiment levels")


class Soft:
    """Kullback-Leibler divergence of softened levels.

    More follows here.
    """

    def __init__(self, config, *inputs):
        self.config, self.inputs = config, inputs


class Hard:
    """Another one."""


@pytest.fixture
def losses():
    registry = Registry("loss")
    registry.register("soft", config=Settings, paper="arXiv 1503.02531", tiny={"levels": 3})(Soft)
    return registry


def test_a_name_taken_twice_is_refused_naming_both_places(losses):
    add = losses.register("soft", config=Settings, paper="", tiny={})
    with pytest.raises(
        ValueError, match=r"loss 'soft' is registered twice: by .*\.Soft and by .*\.Hard"
    ):
        add(Hard)
    assert losses.get("soft").builder is Soft


def test_the_same_class_may_come_again(losses):
    again = type("Soft", (), {"__module__": Soft.__module__, "__qualname__": "Soft"})
    losses.register("soft", config=Settings, paper="", tiny={})(again)
    assert losses.get("soft").builder is again


def test_registration_leaves_the_class_as_it_is(losses):
    assert losses.register("hard", config=Settings, paper="", tiny={})(Hard) is Hard


def test_an_unknown_name_gives_the_nearest(losses):
    with pytest.raises(
        BadInput, match=r"name: no loss is called 'sofd'; did you mean 'soft'\? known: soft"
    ):
        losses.get("sofd")


def test_an_unknown_name_in_an_empty_registry_says_that_nothing_is_known():
    with pytest.raises(BadInput, match="no teacher is called 'clip'; known: none"):
        Registry("teacher").get("clip")


def test_an_unknown_parameter_gives_the_nearest(losses):
    ref = VariantRef.model_validate({"name": "soft", "temprature": 2})
    expected = "temprature: loss 'soft' has no such parameter; did you mean 'temperature'"
    with pytest.raises(BadInput, match=expected):
        losses.configure(ref)


def test_a_parameter_out_of_range_is_named_with_what_was_given(losses):
    ref = VariantRef.model_validate({"name": "soft", "temperature": -1})
    with pytest.raises(BadInput, match=r"^temperature: .*greater than 0, given -1$"):
        losses.configure(ref)


def test_every_message_is_one_line(losses):
    for params in ({"temperature": "warm"}, {"levels": [1]}, {"x": 1}):
        with pytest.raises(BadInput) as caught:
            losses.configure(VariantRef.model_validate({"name": "soft", **params}))
        assert "\n" not in str(caught.value)


def test_resolving_writes_every_default(losses):
    resolved = losses.resolve(VariantRef.model_validate({"name": "soft", "levels": 5}))
    assert resolved == VariantRef.model_validate({"name": "soft", "temperature": 4.0, "levels": 5})


def test_resolving_twice_changes_nothing(losses):
    once = losses.resolve(VariantRef(name="soft"))
    assert losses.resolve(once) == once


def test_a_default_written_out_is_no_difference(losses):
    written = VariantRef.model_validate({"name": "soft", "temperature": 4})
    assert losses.resolve(written) == losses.resolve(VariantRef(name="soft"))


def test_building_hands_over_the_configuration_and_the_inputs(losses):
    built = losses.build(VariantRef.model_validate({"name": "soft", "levels": 2}), "data")
    assert (built.config, built.inputs) == (Settings(levels=2), ("data",))


def test_an_entry_summarises_its_class_in_one_line(losses):
    assert losses.get("soft").summary == "Kullback-Leibler divergence of softened levels."


def test_the_tiny_configuration_is_a_configuration(losses):
    assert losses.get("soft").tiny_config() == Settings(levels=3)


def test_iteration_is_by_name_whatever_the_order_of_registration(losses):
    losses.register("hard", config=Settings, paper="", tiny={})(Hard)
    assert [entry.name for entry in losses] == ["hard", "soft"]


def test_a_temporary_registration_is_forgotten(losses):
    with losses.temporary():
        losses.register("hard", config=Settings, paper="", tiny={})(Hard)
        assert "hard" in losses
    assert [entry.name for entry in losses] == ["soft"]


def test_a_temporary_registration_is_forgotten_after_a_failure(losses):
    def fail_with_one_more():
        with losses.temporary():
            losses.register("hard", config=Settings, paper="", tiny={})(Hard)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_with_one_more()
    assert "hard" not in losses


def test_every_kind_has_one_registry():
    assert {kind: registry.kind for kind, registry in REGISTRIES.items()} == {
        kind: kind for kind in ("dataset", "teacher", "student", "baseline", "loss", "backend")
    }


PLUGIN = """
    from harness.registry import LOSSES
    from harness.spec import LossConfig

    @LOSSES.register("from_outside", config=LossConfig, paper="none", tiny={})
    class FromOutside:
        '''A loss of another package.'''
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An importable folder; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    with LOSSES.temporary():
        yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


def test_a_plug_in_module_registers_its_variants(folder):
    write(folder / "outside_module.py", PLUGIN)
    discover(["outside_module"])
    assert LOSSES.get("from_outside").where == "outside_module.FromOutside"


def test_a_plug_in_package_is_walked(folder):
    write(folder / "outside_package" / "__init__.py", "")
    write(folder / "outside_package" / "deep" / "__init__.py", "")
    write(folder / "outside_package" / "deep" / "loss.py", PLUGIN)
    discover(["outside_package"])
    assert "from_outside" in LOSSES


def test_a_missing_plug_in_is_bad_input():
    with pytest.raises(BadInput, match=r"--plugin: no module is called 'not_there\.at_all'"):
        discover(["not_there.at_all"])


def test_a_plug_in_that_misses_a_library_is_not_called_missing(folder):
    write(folder / "outside_broken.py", "import a_library_nobody_has")
    with pytest.raises(ModuleNotFoundError, match="a_library_nobody_has"):
        discover(["outside_broken"])


def test_an_installed_plug_in_is_found_by_its_entry_point(folder):
    write(folder / "outside_installed.py", PLUGIN)
    info = folder / "outside-1.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    write(info / "entry_points.txt", "[adviserbench.plugins]\noutside = outside_installed\n")
    discover()
    assert "from_outside" in LOSSES


def test_discovery_imports_no_library_that_only_some_variants_need():
    code = "import sys; from harness.registry import discover; discover(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"transformers", "open_clip", "mlflow"} & set(done.stdout.split())
