"""Which rows a bench has, and what it refuses before anything is read or timed."""

import pytest
from benches import settings, toy_study, untrained
from studies import Diary

from harness.registry import BACKENDS
from harness.spec import BadInput, VariantRef
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.bench.entrants import entrants, reference
from harness.study.place import Place
from harness.study.runner import run_study

EAGER = VariantRef(name="eager")


@pytest.fixture(scope="module")
def plan():
    return untrained(toy_study())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A store in which the students of the study are complete."""
    kept = MemoryStore()
    place = Place(
        out=tmp_path_factory.mktemp("runs"), store=lambda: kept, claims=MemoryClaims, exists=False
    )
    run_study(toy_study("seeds=[0]"), place, Diary())
    return kept


def names(plan, **changes):
    return [row.name for row in entrants(plan, settings(**changes), None)]


def test_rows_are_arms_in_the_order_of_the_study_each_with_its_back_ends_after_it(plan):
    backends = {"alone": (EAGER, VariantRef(name="eager", tolerance=0.5))}
    assert names(plan, arms=("both_steps", "alone"), backends=backends) == [
        "alone",
        "alone · eager",
        "alone · eager (tolerance 0.5)",
        "both_steps",
    ]


def test_teachers_of_arms_are_rows_of_their_own_unless_they_are_arms_already(plan):
    arms = ("both_steps", "shuffled")
    assert names(plan, arms=arms, teachers=True, routes=("model_only",)) == [
        *arms,
        "teacher of both_steps",
    ]
    arms = ("teacher", "both_steps")
    assert names(plan, arms=arms, teachers=True, routes=("model_only",)) == list(arms)


def test_ratios_are_to_the_arm_named_or_the_studys_reference_or_the_first_student(plan):
    def chosen(**changes):
        given = settings(routes=("model_only",), **changes)
        return reference(entrants(plan, given, None), plan, given)

    assert chosen(arms=("alone", "both_steps"), reference="both_steps") == "both_steps"
    assert chosen(arms=("alone", "both_steps")) == "alone"
    assert chosen(arms=("teacher", "shuffled", "both_steps")) == "both_steps"
    assert chosen(arms=("teacher",)) == "teacher"


def test_trained_rows_have_the_checkpoint_and_the_quality_of_one_trial(plan, trained):
    row = entrants(plan, settings(weights="trained", arms=("alone",)), trained)[0]
    result = trained.get(row.trial_id)
    assert row.checkpoint.is_file()
    assert row.quality["test/mae"] == result.metrics["test/mae"]
    assert all(name.startswith("test/") for name in row.quality)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": ("alnoe",)}, "bench.arms: no arm 'alnoe' in study 'toy'; did you mean 'alone'?"),
        ({"seed": 7}, "bench.seed: no arm has seed 7; known: 0, 1"),
        (
            {"arms": ("alone",), "backends": {"fusion": (EAGER,)}},
            "bench.backends: no arm 'fusion' is measured",
        ),
        (
            {"arms": ("alone",), "backends": {"alone": (VariantRef(name="egaer"),)}},
            "bench.backends.alone.name: no backend is called 'egaer'",
        ),
        ({"arms": ("alone",), "reference": "fusion"}, "bench.reference: no arm 'fusion' is measured"),
        (
            {"arms": ("fusion",)},
            "bench.routes: arm 'fusion' reads audio, text, vision as features that data set 'toy' has",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(plan, changes, message):
    given = settings(**changes)
    with pytest.raises(BadInput) as caught:
        reference(entrants(plan, given, None), plan, given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_features_are_no_obstacle_from_tensors(plan):
    assert names(plan, arms=("fusion",), routes=("model_only",)) == ["fusion"]


def test_a_trial_without_a_checkpoint_says_what_to_do(plan):
    with pytest.raises(BadInput, match="seed 0 of 'alone' has no stored checkpoint: run the study"):
        entrants(plan, settings(weights="trained", arms=("alone",)), MemoryStore())


def test_a_back_end_that_is_not_installed_is_refused_before_anything_runs(plan, monkeypatch):
    config = BACKENDS.get("eager").config

    def check(self):
        raise BadInput("the package x is not installed; it comes with pip install 'adviserbench[onnx]'")

    monkeypatch.setattr(config, "check", check)
    with pytest.raises(BadInput, match=r"bench.backends.alone: .*adviserbench\[onnx\]"):
        entrants(plan, settings(arms=("alone",), backends={"alone": (EAGER,)}), None)
