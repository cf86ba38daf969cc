"""Controls by name, in any study."""

import pytest
import toy
from studies import ablation, grid

from harness.registry import discover
from harness.spec import NAMED_CONTROLS, BadInput
from harness.study.expand import expand, make_plan
from harness.study.load import parse_study

assert toy
discover()
EVERY_CONTROL = list(NAMED_CONTROLS)


def cells(content, controls):
    return expand(parse_study({**content, "controls": controls}))


def spec_of(found, arm):
    return next(cell.spec for cell in found if cell.arm == arm)


def test_every_control_is_an_arm_under_every_seed():
    content = ablation()
    del content["arms"]["alone"]
    found = cells(content, EVERY_CONTROL)
    assert [cell.arm for cell in found if cell.seed == 1][-6:] == EVERY_CONTROL


def test_a_grid_has_them_too():
    found = cells(grid({"student.model.width": [16, 32]}), ["shuffled_teacher"])
    assert spec_of(found, "shuffled_teacher").control == "shuffled"


def test_alone_is_the_student_without_its_teacher():
    found = cells(ablation(), ["alone_half", "shuffled_teacher"])
    half, whole = spec_of(found, "alone_half"), spec_of(found, "alone")
    assert (half.teacher, half.control, set(half.losses)) == (None, "none", {"task_l1"})
    assert half.model.params["width"] * 2 == whole.model.params["width"]


def test_the_named_control_alone_is_the_same_trial_as_the_arm_written_out():
    content = ablation()
    written = spec_of(expand(parse_study(content)), "alone")
    del content["arms"]["alone"]
    assert spec_of(cells({**content, "reference": "both_steps"}, ["alone"]), "alone") == written


def test_an_untrained_teacher_has_no_epochs():
    untrained = spec_of(cells(ablation(), ["untrained_teacher"]), "untrained_teacher")
    trained = spec_of(cells(ablation(), []), "both_steps")
    assert untrained.teacher.optimisation.max_epochs == 0
    assert untrained.optimisation == trained.optimisation


@pytest.mark.parametrize("control", ["shuffled_teacher", "constant_teacher", "label_echo_teacher"])
def test_the_others_share_the_trained_teacher(control):
    found = cells(ablation(), [control])
    assert spec_of(found, control).advisers() == spec_of(found, "both_steps").advisers()


def test_an_unknown_control_names_the_near_ones():
    with pytest.raises(BadInput, match="did you mean 'shuffled_teacher'"):
        cells(ablation(), ["shuffled_teachr"])


def test_a_control_with_the_name_of_an_arm_is_refused():
    with pytest.raises(BadInput, match="'alone' is an arm and a named control"):
        cells(ablation(), ["alone"])


def test_labels_have_no_embedding():
    content = ablation()
    content["base"]["student"]["losses"] = {"task_l1": {}, "fitnets": {}}
    with pytest.raises(BadInput) as caught:
        cells(content, ["label_echo_teacher"])
    assert "controls (label_echo_teacher).student.losses.fitnets" in str(caught.value)
    assert "control label_echo gives class_logits, score" in str(caught.value)


def test_folds_plan_a_teacher_each_and_before_their_student():
    content = ablation("base.folds=3", "seeds=[0]")
    found = expand(parse_study(content))
    plan = make_plan(parse_study(content), found, {cell.spec.data: "data" for cell in found})
    order = list(plan.trials)
    student = next(m.trial_id for m in plan.members if m.arm == "both_steps")
    assert len(plan.teachers[student]) == 3
    assert all(order.index(teacher) < order.index(student) for teacher in plan.teachers[student])
    # What a base says of teachers is for the arms that have one.
    assert spec_of(found, "alone").folds == 1
    assert spec_of(found, "teacher").folds == 1


def test_a_joint_student_waits_for_no_teacher():
    found = expand(parse_study(ablation("arms.joint.schedule=joint")))
    joint = spec_of(found, "joint")
    assert joint.teacher is not None
    assert joint.advisers() == ()
