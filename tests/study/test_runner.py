"""A study runs what is missing, and nothing twice."""

from dataclasses import replace

import pytest
import toy
from studies import Diary, ablation
from trials import STUDENT

from harness.engine.advice import ADVICE_FILE
from harness.registry import discover
from harness.spec import NAMED_CONTROLS, BadInput
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.launch.base import Epoch
from harness.study.load import parse_study
from harness.study.place import Place
from harness.study.runner import run_study

discover()


@pytest.fixture
def place(tmp_path):
    store, kept = MemoryStore(), {}
    return Place(tmp_path, lambda: store, lambda: MemoryClaims(kept=kept), exists=True)


def scores(store, plan):
    return {m: store.predictions(m.trial_id)["score"].tolist() for m in plan.members}


def test_a_second_run_trains_nothing(place, monkeypatch):
    study, diary = parse_study(ablation()), Diary()
    first = run_study(study, place, Diary())
    monkeypatch.setattr(toy.Toy, "load", lambda self: pytest.fail("no clip is needed"))
    second = run_study(study, place, diary)
    assert (len(first.ran), first.failed) == (10, 0)
    assert (second.ran, second.failed, diary.already) == ((), 0, 10)


def test_another_seed_runs_its_trials_only(place):
    run_study(parse_study(ablation("seeds=[0]")), place, Diary())
    outcome = run_study(parse_study(ablation("seeds=[0,7]")), place, Diary())
    assert {result.spec.seed for result in outcome.ran} == {7}


def test_a_study_may_have_every_schedule_and_control(place):
    content = ablation(
        "seeds=[0]", "arms.joint.schedule=joint", "arms.cross_fitted.folds=2",
        "arms.few_labels.student.labelled_fraction=0.25",
    )  # fmt: skip
    del content["arms"]["alone"], content["arms"]["shuffled"]
    content |= {"controls": list(NAMED_CONTROLS), "reference": "alone"}
    outcome = run_study(parse_study(content), place, Diary())
    assert outcome.failed == 0
    # The reported teacher, two of the folds and the untrained one; the joint student brings its own.
    assert sum(result.spec.role == "teacher" for result in outcome.ran) == 1 + 2 + 1
    found = scores(place.store(), outcome.plan)
    assert len({tuple(values) for values in found.values()}) == len(found)


def test_a_failed_trial_is_recorded_and_the_others_go_on(place):
    content = ablation("arms.broken.student.optimisation.learning_rate=1e30", "seeds=[0]")
    outcome = run_study(parse_study(content), place, Diary())
    states = {result.trial_id: result.state for result in outcome.ran}
    broken = next(m.trial_id for m in outcome.plan.members if m.arm == "broken")
    assert outcome.failed == 1
    assert [identity for identity, state in states.items() if state == "failed"] == [broken]
    assert "became" in place.store().get(broken).failure.message


def test_a_failed_trial_is_run_again(place):
    study = parse_study(ablation("arms.broken.student.optimisation.learning_rate=1e30", "seeds=[0]"))
    run_study(study, place, Diary())
    again = run_study(study, place, Diary())
    assert [result.state for result in again.ran] == ["failed"]
    assert again.failed == 1


def test_students_of_a_failed_teacher_fail_and_the_rest_does_not(place):
    content = ablation("base.teacher.optimisation.learning_rate=1e30", "seeds=[0]")
    outcome = run_study(parse_study(content), place, Diary())
    failed = {m.arm for m in outcome.plan.members if place.store().get(m.trial_id).state == "failed"}
    assert failed == {"teacher", "both_steps", "shuffled"}


def test_a_killed_study_ends_with_the_numbers_of_an_undisturbed_one(place, tmp_path):
    study = parse_study(ablation())
    whole = run_study(study, place, Diary())
    other = MemoryStore()
    disturbed = replace(place, store=lambda: other, out=tmp_path / "disturbed")

    class Killed(BaseException):
        pass

    for epoch_calls in range(1, 60, 7):
        diary, calls = Diary(), [0]

        def event(event, calls=calls, bound=epoch_calls):
            calls[0] += isinstance(event, Epoch)
            if calls[0] == bound:
                raise Killed

        diary.event = event
        try:
            run_study(study, disturbed, diary)
            break
        except Killed:
            continue
    assert scores(other, whole.plan) == scores(place.store(), whole.plan)


def test_a_finished_trial_leaves_nothing_in_the_work_folder(place):
    run_study(parse_study(ablation("seeds=[0]")), place, Diary())
    assert list(place.work.iterdir()) == []


def test_a_teacher_whose_outputs_are_gone_is_trained_again(place):
    first = run_study(parse_study(ablation("seeds=[0]")), place, Diary())
    (teacher,) = set(sum(first.plan.teachers.values(), ()))
    place.store().artifact(teacher, ADVICE_FILE).unlink()
    kept = place.store().artifact

    def artifact(trial_id, name):
        path = kept(trial_id, name)
        return path if path is not None and path.is_file() else None

    place.store().artifact = artifact
    new_arm = ablation("seeds=[0]", "arms.heavier.student.losses.step2.weight=3")
    outcome = run_study(parse_study(new_arm), place, Diary())
    assert [result.spec.role for result in outcome.ran] == ["teacher", "student"]
    assert outcome.failed == 0


def test_more_frames_than_clips_have_are_refused_before_anything_is_written(place):
    study = parse_study(ablation("seeds=[0]", "base.teacher.model.frames_used=3"))
    with pytest.raises(
        BadInput, match=r"arms.teacher.teacher.model: clip_video takes 3 frames of every"
    ):
        run_study(study, place, Diary())
    assert place.store().studies() == ()


def test_more_folds_than_videos_are_refused_before_anything_is_written(place):
    study = parse_study(ablation("seeds=[0]", "arms.both_steps.folds=13"))
    with pytest.raises(BadInput, match="13 folds, and toy has 12 training videos"):
        run_study(study, place, Diary())
    assert place.store().studies() == ()


def test_a_model_that_needs_a_view_the_data_lacks_is_refused_before_anything_is_written(
    place, monkeypatch
):
    load = toy.Toy.load

    def without_frames(self):
        data = load(self)
        return replace(data, info=replace(data.info, views=data.info.views - {"frames"}))

    monkeypatch.setattr(toy.Toy, "load", without_frames)
    with pytest.raises(BadInput, match=r"arms.teacher.teacher.model: clip_video needs the views frames"):
        run_study(parse_study(ablation()), place, Diary())
    assert place.store().studies() == ()
    assert STUDENT["name"] == "text_encoder"
