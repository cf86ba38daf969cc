"""How a teacher advises: stored or along, whole or in folds, trained or not."""

import pytest
import torch
from pydantic import ValidationError
from trials import STUDENT, dataset, run, spec

from harness.engine.advice import ADVICE_FILE, load_advice
from harness.engine.assembly import build_model, visible
from harness.engine.shares import clips_to_advise_on
from harness.engine.terms import build_terms
from harness.engine.training_step import Clips, Learner, TrainingStep
from harness.spec import LossTerm

DATA = dataset()
LOSSES = {"task_l1": LossTerm(weight=0.5), "step2": LossTerm()}
TEACHER_LOSSES = {"task_ce": LossTerm(), "task_l1": LossTerm(), "step1": LossTerm()}


def teacher(**changes):
    return spec("teacher", losses=TEACHER_LOSSES, **changes)


def advised(**changes):
    return spec(losses=LOSSES, **({"teacher": teacher()} | changes))


def test_the_joint_schedule_trains_both_models_in_one_loop(tmp_path):
    done = run(advised(schedule="joint"), tmp_path, DATA)
    assert done.result.state == "complete"
    terms = {name for name in done.result.epochs[0].metrics if name.startswith("train/")}
    assert terms == {"train/task_l1", "train/step2"} | {
        f"train/teacher/{name}" for name in TEACHER_LOSSES
    }
    assert (
        done.result.epochs[-1].metrics["train/teacher/task_l1"]
        < (done.result.epochs[0].metrics["train/teacher/task_l1"])
    )


def test_what_a_joint_trial_leaves_is_the_student_alone(tmp_path):
    joint = run(advised(schedule="joint"), tmp_path / "joint", DATA)
    plain = run(spec(), tmp_path / "plain", DATA)
    assert joint.result.efficiency.parameters == plain.result.efficiency.parameters
    assert ADVICE_FILE not in joint.files
    assert set(joint.files) == set(plain.files)


def test_a_joint_trial_resumes_to_the_same_bits(tmp_path):
    what = advised(schedule="joint", max_epochs=4, patience=4)
    whole = run(what, tmp_path / "whole", DATA)

    def stop(epoch, metrics):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(what, tmp_path / "cut", DATA, on_epoch=stop)
    assert run(what, tmp_path / "cut", DATA).predictions.equals(whole.predictions)


def test_what_a_joint_student_learns_does_not_move_its_teacher():
    what = advised(schedule="joint")
    learners = [
        Learner(one, build_model(one, DATA), build_terms(one, DATA.info)) for one in (what, what.teacher)
    ]
    step = TrainingStep(*learners)
    seen = [visible(one.spec, one.model, DATA.train) for one in learners]
    found = step(Clips(seen[0], None, seen[1]))
    (found["task_l1"] + found["step2"]).backward()
    assert all(parameter.grad is None for parameter in step.teacher.parameters())
    found["teacher/task_l1"].backward()
    assert any(parameter.grad is not None for parameter in step.teacher.parameters())


def test_a_teacher_of_no_epochs_says_what_its_initial_weights_say(tmp_path):
    untrained = teacher(max_epochs=0)
    done = run(untrained, tmp_path, DATA)
    assert (done.result.state, done.result.epochs, done.result.best_epoch) == ("complete", (), None)
    fresh = build_model(untrained, DATA)
    with torch.no_grad():
        said = fresh.eval()(visible(untrained, fresh, DATA.train)).score
    stored = load_advice([done.files[ADVICE_FILE]], DATA.train.ids)
    torch.testing.assert_close(stored.score, said)


def test_each_clip_gets_the_advice_of_the_teacher_that_did_not_see_its_video(tmp_path):
    folds = [teacher(folds=3, fold=fold, max_epochs=1) for fold in range(3)]
    done = [run(fold, tmp_path / str(fold.fold), DATA) for fold in folds]
    whole = load_advice([one.files[ADVICE_FILE] for one in done], DATA.train.ids)
    rows = {clip: row for row, clip in enumerate(DATA.train.ids)}
    for fold, one in zip(folds, done, strict=True):
        told = clips_to_advise_on(fold, DATA.train).ids
        own = load_advice([one.files[ADVICE_FILE]], told)
        assert own.score.equal(whole.score[[rows[clip] for clip in told]])


def test_a_cross_fitted_student_learns_from_all_its_teachers(tmp_path):
    what = advised(folds=2)
    assert [(one.folds, one.fold) for one in what.advisers()] == [(2, 0), (2, 1)]
    files = [run(one, tmp_path / str(one.fold), DATA).files[ADVICE_FILE] for one in what.advisers()]
    assert run(what, tmp_path / "student", DATA, *files).result.state == "complete"
    half = run(what, tmp_path / "half", DATA, files[0], None)
    assert half.result.state == "failed"
    assert "left no outputs" in half.result.failure.message


def test_the_last_epoch_is_kept_when_it_is_asked_for(tmp_path):
    what = spec(select="last", learning_rate=0.5, max_epochs=6, patience=1)
    done = run(what, tmp_path, DATA)
    assert done.result.best_epoch == 5
    assert done.result.metrics["val/mae"] == done.result.epochs[-1].metrics["val/mae"]


def test_few_labels_and_much_advice_use_every_clip(tmp_path):
    few = run(advised(labelled_fraction=0.1, max_epochs=1), tmp_path / "x", DATA)
    # Advice is what is missing here, not clips: the trial says so.
    assert "left no outputs" in few.result.failure.message
    taught = run(teacher(max_epochs=1), tmp_path / "t", DATA).files[ADVICE_FILE]
    few = run(advised(labelled_fraction=0.1, max_epochs=1), tmp_path / "few", DATA, taught)
    assert few.result.state == "complete"
    assert {"train/task_l1", "train/step2"} <= set(few.result.epochs[0].metrics)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "joint", "control": "shuffled"}, "'shuffled' needs outputs of a finished teacher"),
        ({"schedule": "joint", "folds": 3}, "folds 3 needs outputs of a finished teacher"),
        ({"fold": 0}, "fold 0 is a teacher's"),
        ({"control": "untrained"}, "a teacher of 0 epochs, given max_epochs 3"),
        ({"control": "label_echo", "labelled_fraction": 0.5}, "labels of all clips"),
    ],
)
def test_combinations_without_a_meaning_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        advised(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "joint"}, "schedule 'joint' trains a teacher too"),
        ({"folds": 2}, "folds 2 are of a student's teachers"),
        ({"folds": 2, "fold": 1}, "expected a teacher's fold below 2, given a student's fold 1"),
    ],
)
def test_a_student_alone_has_no_schedule_and_no_folds(changes, message):
    with pytest.raises(ValidationError, match=message):
        spec(model={"name": "text_encoder", **STUDENT}, **changes)
