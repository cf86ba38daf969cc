"""Values of the file beside a model: over the base's, under the arm's own, and known to be so."""

from __future__ import annotations

import pytest
from studies import ablation

from harness.registry import BASELINES, REGISTRIES, discover
from harness.spec import STUDY_ADAPTER, BadInput, LossTerm, Preset
from harness.study import presets as presets_of
from harness.study.expand import expand, make_plan
from harness.study.presets import presets

discover()
WITH_FILES = [
    pytest.param(entry, data, preset, id=f"{entry.name}-{data}")
    for entry in BASELINES
    for data, preset in presets(entry).items()
]

MINE = Preset(
    source="made for the tests",
    trials=7,
    model={"width": 24},
    losses={"task_mse": LossTerm(weight=0.25)},
    optimisation={"learning_rate": 0.5, "batch_size": 3},
)


@pytest.fixture
def given(monkeypatch):
    monkeypatch.setattr(presets_of, "presets", lambda entry: {"mine": MINE})


def study(arm, **base):
    content = ablation()
    content["base"] = {
        "role": "baseline",
        "baseline": {
            "model": {"name": "text_only"},
            "losses": {"task_l1": {}},
            "optimisation": {"learning_rate": 0.1, "max_epochs": 2},
            **base,
        },
    }
    content["arms"] = {"one": {"baseline": arm}, "other": {}}
    content.pop("reference", None)
    content.pop("controls", None)
    return STUDY_ADAPTER.validate_python(content)


def spec(arm, **base):
    return expand(study(arm, **base))[0].spec


def test_a_preset_lies_over_the_base_and_under_the_arm(given):
    plain, tuned = spec({}), spec({"preset": "mine"})
    assert (plain.model.params["width"], tuned.model.params["width"]) == (32, 24)
    assert tuned.losses.keys() == {"task_mse"}
    assert (tuned.optimisation.learning_rate, tuned.optimisation.batch_size) == (0.5, 3)
    assert tuned.optimisation.max_epochs == plain.optimisation.max_epochs
    more = spec({"preset": "mine", "losses": {"task_huber": {}}})
    assert more.losses.keys() == {"task_mse", "task_huber"}
    own = spec({"preset": "mine", "model": {"width": 40}, "optimisation": {"batch_size": 5}})
    assert (own.model.params["width"], own.optimisation.batch_size) == (40, 5)
    assert own.optimisation.learning_rate == 0.5


def test_a_preset_of_the_base_is_that_of_each_arm_s_own_model(given):
    found = spec({}, preset="mine")
    assert found.model.params["width"] == 24


def test_the_plan_says_where_values_are_from(given):
    made = study({"preset": "mine"})
    plan = make_plan(made, expand(made), {cell.spec.data: "f" for cell in expand(made)})
    assert plan.tuning.keys() == {"one"}
    found = plan.tuning["one"]
    assert (found.data, found.source, found.trials) == ("mine", MINE.source, 7)


def test_a_preset_that_there_is_not_is_one_line(given):
    with pytest.raises(BadInput, match=r"text_only has no values for 'min'.*mine") as fault:
        spec({"preset": "min"})
    assert "arms.one" in str(fault.value)


def test_a_preset_says_nothing_of_the_budget():
    with pytest.raises(ValueError, match="max_epochs"):
        Preset(source="here", optimisation={"max_epochs": 3})


@pytest.mark.parametrize(("entry", "data", "preset"), WITH_FILES)
def test_every_preset_that_ships_is_legal(entry, data, preset):
    config = entry.configure(preset.model)
    assert config.model_dump().keys() >= preset.model.keys()
    for name, term in preset.losses.items():
        loss = REGISTRIES["loss"].get(name)
        loss.configure(term.params)
        assert loss.config.parts <= config.parts()
        assert loss.config.needs <= config.gives()


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in BASELINES])
def test_every_fusion_model_has_values_for_mosi_mosei_and_sims(entry):
    is_fusion = entry.config.task == "sentiment" and len(entry.tiny_config().needs()) > 1
    if entry.builder.__module__.startswith("baselines") and is_fusion:
        assert {"mosi", "mosei", "sims"} <= presets(entry).keys()
