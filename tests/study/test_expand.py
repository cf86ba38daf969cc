"""A study becomes trials, the same ones in every process."""

import pytest
import toy
from studies import ablation, grid

from harness.registry import DATASETS, discover
from harness.spec import BadInput
from harness.study.expand import expand, make_plan
from harness.study.load import parse_study

assert toy
discover()


def plan(content):
    study = parse_study(content)
    cells = expand(study)
    return make_plan(study, cells, {cell.spec.data: "fingerprint" for cell in cells})


def spec_of(content, arm, seed=0):
    return next(c.spec for c in expand(parse_study(content)) if (c.arm, c.seed) == (arm, seed))


def test_class_logits_of_other_levels_are_refused_when_the_study_is_loaded():
    content = ablation("base.student.model.levels=5", "base.student.losses.kl.weight=1")
    with pytest.raises(
        BadInput, match="kl compares class logits: the student has 5 levels, its teacher 7"
    ):
        expand(parse_study(content))
    assert expand(parse_study(ablation("base.student.model.levels=5")))


def test_every_arm_runs_under_every_seed():
    cells = expand(parse_study(ablation()))
    assert [(cell.arm, cell.seed) for cell in cells] == [
        (arm, seed)
        for arm in ("teacher", "alone", "both_steps", "shuffled", "fusion")
        for seed in (0, 1)
    ]


def test_one_teacher_a_seed_serves_all_its_students():
    found = plan(ablation())
    roles = [spec.role for spec in found.trials.values()]
    assert roles.count("teacher") == 2
    assert len(found.trials) == len(found.members) == 10


def test_teachers_come_before_those_they_advise():
    found = plan(ablation())
    order = list(found.trials)
    assert all(
        order.index(teacher) < order.index(student)
        for student, teachers in found.teachers.items()
        for teacher in teachers
    )


def test_a_student_without_advice_is_the_same_trial_beside_any_teacher():
    other = ablation("base.teacher.optimisation.learning_rate=0.5")
    assert spec_of(ablation(), "alone") == spec_of(other, "alone")
    assert spec_of(ablation(), "both_steps") != spec_of(other, "both_steps")


def test_a_resolved_trial_writes_every_default_out():
    spec = spec_of(ablation(), "alone")
    assert spec.model.params["pooling"] == "mean"
    assert spec.optimisation.warmup_fraction == 0.1


def test_writing_a_default_out_makes_no_other_trial():
    assert plan(ablation()).trials == plan(ablation("base.student.model.pooling=mean")).trials


def test_ids_depend_on_the_data():
    study = parse_study(ablation())
    cells = expand(study)
    one, two = (make_plan(study, cells, {c.spec.data: mark for c in cells}) for mark in ("a", "b"))
    assert not set(one.trials) & set(two.trials)


def test_a_grid_has_an_arm_a_point():
    axes = {"student.model.width": [16, 32], "student.losses.step2.weight": [0.5, 1.0, 2.0]}
    cells = expand(parse_study(grid(axes)))
    assert len(cells) == 2 * 3 * 2
    assert cells[0].arm == "width=16, weight=0.5"
    assert {cell.spec.model.params["width"] for cell in cells} == {16, 32}


def test_a_grid_over_data_has_data_of_its_own_for_each_point():
    cells = expand(parse_study(grid({"data.noise": [0.0, 1.0]})))
    assert {cell.spec.data.params["noise"] for cell in cells} == {0.0, 1.0}
    assert all(cell.spec.teacher.data == cell.spec.data for cell in cells)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("base.student.model.name=text_encodr", "arms.alone.student.model.name: no student is called"),
        (
            "base.student.model.widht=3",
            "student.model.widht: student 'text_encoder' has no such parameter",
        ),
        ("base.student.model.widht=3", "did you mean 'width'"),
        (
            "base.student.model.width=4",
            "student.model.width: Input should be greater than or equal to 8",
        ),
        (
            "base.student.losses.stp2={}",
            "student.losses.name: no loss is called 'stp2'; did you mean 'step2'",
        ),
        ("base.student.losses.step1={}", "student.losses.step1: step1 needs class_logits; text_encoder"),
        ("base.teacher.losses.step2={}", "step2 asks for a teacher's advice, and this is the teacher"),
        ("base.teacher.model.name=clip_vide", "did you mean 'clip_video'"),
        ("data.nois=1", "data.nois: dataset 'toy' has no such parameter; did you mean 'noise'"),
        ("data.name=rendered_sentimnt", "did you mean 'rendered_sentiment'"),
        ("reference=aline", "reference: no arm is called 'aline'"),
        (
            "arms.alone.control=shuffled",
            "arms.alone.student: control 'shuffled' alters a teacher's outputs",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_place(override, expected):
    with pytest.raises(BadInput) as caught:
        expand(parse_study(ablation(override)))
    assert expected in str(caught.value)


def test_a_role_without_a_recipe_is_refused():
    content = ablation()
    del content["base"]["baseline"]
    with pytest.raises(BadInput, match=r"arms.fusion.baseline.model.name: no baseline is named"):
        expand(parse_study(content))
    assert "toy" in DATASETS


def retrieval(kind, **more):
    """A study of the task that has no mean absolute error."""
    return parse_study(
        {
            "kind": kind,
            "name": "found",
            "data": {"name": "rendered_events"},
            "seeds": [0],
            "base": {
                "role": "student",
                "student": {"model": {"name": "two_tower"}, "losses": {"modal_ce": {}}},
            },
            "arms": {"one": {}},
            **more,
        }
    )


@pytest.mark.parametrize(
    "search", [{}, {"objective": "val/corr"}, {"objective": ["val/map", "val/mae"]}]
)
def test_a_search_for_a_number_that_its_trials_will_not_have_is_refused(search):
    with pytest.raises(
        BadInput, match="is no metric of retrieval; expected one such as 'val/map'"
    ) as fault:
        expand(retrieval("search", search=search))
    assert fault.value.key == "search.objective"
    assert expand(retrieval("search", search={"objective": ["val/map", "parameters"]}))


def test_an_epoch_is_not_selected_by_a_number_that_it_will_not_have():
    study = retrieval("ablation", arms={"one": {"student": {"optimisation": {"monitor": "val/mae"}}}})
    with pytest.raises(BadInput, match="'val/mae' is no metric of retrieval") as fault:
        expand(study)
    assert fault.value.key == "arms.one.student.optimisation.monitor"
