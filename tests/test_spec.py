"""What makes a trial the same trial, and what survives being written down."""

import math
import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from harness.spec import (
    METRICS,
    TASKS,
    BadInput,
    Condition,
    Environment,
    LossTerm,
    Missing,
    Optimisation,
    TrialResult,
    TrialSpec,
    VariantRef,
    canonical_json,
    digest,
    group_id,
    nearest,
    trial_id,
)


def ref(name, **params):
    return VariantRef.model_validate({"name": name, **params})


def term(weight=1.0, **params):
    return LossTerm.model_validate({"weight": weight, **params})


DATA = ref("rendered", path="/here", seed=1, clips=600)
TEACHER = TrialSpec(
    role="teacher",
    data=DATA,
    model=ref("clip", width=64),
    losses={"l1": term()},
    # As a study's trials have it: written out.
    optimisation=Optimisation(monitor="val/mae"),
    seed=3,
)
STUDENT = TrialSpec(
    role="student",
    data=DATA,
    model=ref("encoder", width=32),
    losses={"l1": term(), "soft": term(0.5, temperature=4)},
    optimisation=Optimisation(monitor="val/mae"),
    seed=3,
    teacher=TEACHER,
)

OTHERWISE = {
    "role": "baseline",
    "data": ref("rendered", path="/here", seed=2, clips=600),
    "model": ref("encoder", width=33),
    "losses": {"l1": term()},
    "optimisation": Optimisation(learning_rate=2e-3),
    "protocol": "mult",
    "precision": "64-true",
    "seed": 4,
    "teacher": TEACHER.model_copy(update={"model": ref("clip", width=65)}),
    "control": "shuffled",
    "schedule": "joint",
    "folds": 3,
    "fold": 1,
    "labelled_fraction": 0.5,
    "splits": ("val",),
    "missing": Missing(rate=0.3),
    "conditions": (Condition(kind="random", level=0.3, modalities=("text",)),),
}


def test_the_identity_of_a_trial_is_a_constant():
    # Stored results are found by it: a change of this value orphans every store there is.
    assert trial_id(STUDENT, "f") == "b95315e2c9c4337c"
    assert group_id(STUDENT, "f") == "b4eca98a8e18141a"


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_another_process_finds_the_same_identity(hash_seed):
    code = (
        "from harness.spec import TrialSpec, trial_id, group_id; import sys;"
        "spec = TrialSpec.model_validate_json(sys.stdin.read());"
        "print(trial_id(spec, 'f'), group_id(spec, 'f'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=STUDENT.model_dump_json(),
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [trial_id(STUDENT, "f"), group_id(STUDENT, "f")]


@pytest.mark.parametrize("field", TrialSpec.model_fields)
def test_every_field_is_part_of_the_identity(field):
    changed = STUDENT.model_copy(update={field: OTHERWISE[field]})
    assert trial_id(changed, "f") != trial_id(STUDENT, "f")


@pytest.mark.parametrize("field", sorted(set(TrialSpec.model_fields) - {"seed"}))
def test_every_field_but_the_seed_is_part_of_the_group(field):
    changed = STUDENT.model_copy(update={field: OTHERWISE[field]})
    assert group_id(changed, "f") != group_id(STUDENT, "f")


@pytest.mark.parametrize("field", Optimisation.model_fields)
def test_every_part_of_the_budget_is_part_of_the_identity(field):
    values = {
        "clip_norm": None, "monitor": "val/corr", "warmup_fraction": 0.5, "select": "last",
    }  # fmt: skip
    changed = {field: values[field] if field in values else getattr(Optimisation(), field) * 2}
    other = STUDENT.model_copy(update={"optimisation": Optimisation.model_validate(changed)})
    assert trial_id(other, "f") != trial_id(STUDENT, "f")


@pytest.mark.parametrize(
    "losses",
    [
        {"l1": term(2.0)},
        {"l1": term(), "soft": term(0.5, temperature=5)},
        {"l1": term(), "soft": term(0.5, temperature=4, warmup_epochs=2)},
    ],
)
def test_weights_and_parameters_of_losses_are_part_of_the_identity(losses):
    other = STUDENT.model_copy(update={"losses": losses})
    assert trial_id(other, "f") != trial_id(STUDENT, "f")


def test_other_data_make_another_trial():
    assert trial_id(STUDENT, "f") != trial_id(STUDENT, "g")
    assert group_id(STUDENT, "f") != group_id(STUDENT, "g")


def moved(spec, path):
    teacher = None if spec.teacher is None else moved(spec.teacher, path)
    params = {**spec.data.params, "path": path}
    return spec.model_copy(update={"data": ref(spec.data.name, **params), "teacher": teacher})


@pytest.mark.parametrize("identity", [trial_id, group_id])
def test_where_the_data_lie_does_not_matter(identity):
    assert identity(moved(STUDENT, "/there"), "f") == identity(STUDENT, "f")


def test_the_order_of_losses_does_not_matter():
    backwards = STUDENT.model_copy(update={"losses": dict(reversed(STUDENT.losses.items()))})
    assert trial_id(backwards, "f") == trial_id(STUDENT, "f")


def test_seeds_share_a_group_with_their_teachers_seeds():
    twin = STUDENT.model_copy(update={"seed": 9, "teacher": TEACHER.model_copy(update={"seed": 9})})
    assert group_id(twin, "f") == group_id(STUDENT, "f")
    assert trial_id(twin, "f") != trial_id(STUDENT, "f")


def test_the_seed_of_the_data_is_no_seed_of_the_trial():
    other = STUDENT.model_copy(update={"data": OTHERWISE["data"]})
    assert group_id(other, "f") != group_id(STUDENT, "f")


def test_a_trial_and_its_group_are_not_confused():
    assert trial_id(STUDENT, "f") != group_id(STUDENT, "f")


def test_a_trial_survives_json():
    again = TrialSpec.model_validate_json(STUDENT.model_dump_json())
    assert again == STUDENT
    assert trial_id(again, "f") == trial_id(STUDENT, "f")


ENVIRONMENT = Environment(
    code_revision="abc", python="3.11", versions={"torch": "2.9"}, platform="Linux", cpu="some",
    cores=2, threads=2, accelerator="none",
)  # fmt: skip


def result(**metrics):
    return TrialResult(
        trial_id=trial_id(STUDENT, "f"),
        group_id=group_id(STUDENT, "f"),
        spec=STUDENT,
        state="complete",
        data_fingerprint="f",
        environment=ENVIRONMENT,
        metrics=metrics,
    )


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-300, -0.0, math.inf, -math.inf])
def test_a_metric_survives_json_to_the_last_bit(value):
    again = TrialResult.model_validate_json(result(mae=value).model_dump_json())
    assert again.metrics["mae"].hex() == value.hex()


def test_a_metric_without_a_value_survives_json():
    text = result(corr=math.nan).model_dump_json()
    again = TrialResult.model_validate_json(text)
    assert math.isnan(again.metrics["corr"])
    assert again.model_dump_json() == text


@pytest.mark.parametrize("monitor", ["test/mae", "mae", "train/l1", "VAL/mae"])
def test_selection_on_anything_but_validation_is_refused(monitor):
    with pytest.raises(ValidationError, match="selection looks at validation only"):
        Optimisation(monitor=monitor)


def test_a_control_without_a_teacher_is_refused():
    with pytest.raises(ValidationError, match="no loss asks for them"):
        TrialSpec(role="student", data=DATA, model=ref("m"), losses={"l1": term()}, control="shuffled")


def test_a_trial_without_a_loss_is_refused():
    with pytest.raises(ValidationError, match="losses"):
        TrialSpec(role="student", data=DATA, model=ref("m"), losses={})


def test_nothing_writes_to_a_specification():
    with pytest.raises(ValidationError, match="frozen"):
        STUDENT.seed = 5


def test_an_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="extra"):
        TrialSpec.model_validate({**STUDENT.model_dump(), "epochs": 3})


def test_canonical_json_has_one_text_for_one_value():
    assert canonical_json({"b": 1.0, "a": [True, None]}) == '{"a":[true,null],"b":1.0}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_every_metric_of_a_task_is_described():
    for task in TASKS.values():
        assert set(task.metrics) <= set(METRICS)
        assert task.primary in task.metrics


@pytest.mark.parametrize(("name", "arrow"), [("mae", "↓"), ("corr", "↑"), ("latency_ms", "↓")])
def test_a_metric_says_which_way_is_better(name, arrow):
    assert METRICS[name].arrow == arrow


def test_a_fault_gains_its_file_and_the_whole_key_on_the_way_up():
    fault = BadInput("not\n a number", key="weight").at(key="losses.l1").at(file="a.yaml", key="arms.x")
    assert str(fault) == "a.yaml: arms.x.losses.l1.weight: not a number"


def test_the_innermost_file_is_kept():
    assert BadInput("empty", file="label.csv").at(file="study.yaml").file == "label.csv"


def test_a_hint_names_the_near_before_the_known():
    assert nearest("patiense", ["patience", "seed"]) == "did you mean 'patience'? known: patience, seed"
    assert nearest("zzz", ["patience", "seed"]) == "known: patience, seed"


def test_the_specification_needs_no_torch():
    code = "import sys, harness.spec; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "pandas"} & set(done.stdout.split())
