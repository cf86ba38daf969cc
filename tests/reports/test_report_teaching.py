"""What a table says of how its arms were taught, and of arms with a reference of their own."""

import pytest
from report_samples import TEACHER, Study, advised, spec
from test_report_table import LAYOUT, filled

from harness.spec import LossTerm, Optimisation
from reports import build_table, collect
from reports.claims import better_than_reference, not_better_than_reference
from reports.render import to_csv, to_markdown


def notes_of(**more):
    study = Study(["plain", "arm"], [0])
    study.trains("arm", lambda seed: advised(seed, **more))
    for arm in study.arms:
        study.gives(arm, 0, [1] * 4)
    return build_table(collect(study.store(), "small"), LAYOUT).notes


UNTRAINED = spec(0, **TEACHER, optimisation=Optimisation(max_epochs=0))


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"control": "shuffled"}, "arm: is advised by its teacher's outputs for other clips"),
        ({"control": "untrained", "teacher": UNTRAINED}, "arm: is advised by its teacher as it was"),
        ({"control": "constant"}, "arm: is told its teacher's mean output"),
        ({"control": "label_echo"}, "arm: is told the labels again"),
        ({"schedule": "joint"}, "arm: teacher and student are trained in one loop"),
        ({"folds": 4}, "arm: advised by 4 teachers, each on the videos that it did not learn from"),
        (
            {"labelled_fraction": 0.25},
            "arm: labels of 25% of the training clips, the teacher's advice on all",
        ),
        (
            {"teacher": spec(0, **TEACHER, labelled_fraction=0.1)},
            "arm: its teacher: labels of 10% of the training clips, no use of the others",
        ),
        (
            {"teacher": spec(0, **TEACHER, optimisation=Optimisation(select="last"))},
            "arm: its teacher: no early stopping",
        ),
        (
            {"losses": {"task_l1": LossTerm(), "step2": LossTerm(warmup_epochs=3)}},
            "arm: the weight of step2 rises over 3 epochs",
        ),
    ],
)
def test_what_is_not_plain_is_said_of_its_arm(changes, note):
    assert any(found.startswith(note) for found in notes_of(**changes))


def test_of_plain_teaching_nothing_is_said():
    words = ("advised by", "is told", "one loop", "labels of", "early stopping", "rises over")
    assert not [note for note in notes_of() if any(word in note for word in words)]


def test_a_control_is_not_called_by_the_methods_name():
    assert any("VideoAdviser (our reading)" in note for note in notes_of())
    assert not any("VideoAdviser (our reading)" in note for note in notes_of(control="constant"))


def test_an_arm_is_compared_with_the_reference_that_it_names():
    study = filled({"plain": 1.0, "other": 3.0, "arm": 2.0})
    study.references["arm"] = "other"
    table = build_table(collect(study.store(), "small"), LAYOUT)
    assert table.row("arm").difference.estimate == pytest.approx(-1)
    assert table.row("other").difference.estimate == pytest.approx(2)
    assert "vs other" in to_markdown(table)
    assert "or minus the arm that its cell names" in to_markdown(table)
    assert ",other," in to_csv(table)


def test_claims_are_about_the_arm_that_an_arm_is_compared_with():
    study = Study(["plain", "other", "arm"], [0])
    for arm, scores in (("plain", [1, 1, 1, 1]), ("other", [3, 3, 3, 4]), ("arm", [2, 2, 2, 1])):
        study.gives(arm, 0, scores)
    study.references["arm"] = "other"
    table = build_table(collect(study.store(), "small"), LAYOUT)
    assert better_than_reference(table, "arm").statement == "arm has a lower MAE than other"
    assert better_than_reference(table, "arm").holds
    assert not not_better_than_reference(table, "arm").holds
    assert not_better_than_reference(table, "other").holds


def test_a_control_without_a_difference_bears_nothing_out():
    table = build_table(collect(filled({"plain": 1.0}).store(), "small"), LAYOUT)
    assert not not_better_than_reference(table, "plain").holds
