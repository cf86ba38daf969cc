"""Which training clips a trial learns from."""

from dataclasses import replace

import pytest
import torch
from trials import dataset, spec

from harness.engine.shares import (
    clips_to_advise_on,
    clips_to_learn,
    fold_of_clips,
    labelled_clips,
    with_labelled_share,
)
from harness.spec import BadInput, LossTerm

TRAIN = dataset().train
ADVISED = {"task_l1": LossTerm(), "step2": LossTerm()}


def test_clips_of_one_video_share_a_fold():
    folds = fold_of_clips(TRAIN.video_ids, 3, seed=0).tolist()
    of_video = dict(zip(TRAIN.video_ids, folds, strict=True))
    assert [of_video[video] for video in TRAIN.video_ids] == folds
    assert set(folds) == {0, 1, 2}


@pytest.mark.parametrize("folds", [2, 5, 12])
def test_folds_differ_by_one_video_at_most(folds):
    counts = torch.bincount(fold_of_clips([str(n) for n in range(12)], folds, seed=3))
    assert counts.max() - counts.min() <= 1


def test_more_folds_than_videos_are_refused():
    with pytest.raises(BadInput, match="13 folds of 12 training videos"):
        fold_of_clips(TRAIN.video_ids, 13, seed=0)


def test_folds_are_drawn_anew_under_another_seed_and_alike_under_the_same():
    assert fold_of_clips(TRAIN.video_ids, 3, 0).equal(fold_of_clips(TRAIN.video_ids, 3, 0))
    assert not fold_of_clips(TRAIN.video_ids, 3, 0).equal(fold_of_clips(TRAIN.video_ids, 3, 1))


def test_every_clip_is_advised_on_by_the_teacher_that_did_not_learn_from_its_video():
    advised = []
    for fold in range(3):
        teacher = spec("teacher", folds=3, fold=fold)
        learned, told = clips_to_learn(teacher, TRAIN), clips_to_advise_on(teacher, TRAIN)
        assert not set(learned.video_ids) & set(told.video_ids)
        assert len(learned) + len(told) == len(TRAIN)
        advised += told.ids
    assert sorted(advised) == sorted(TRAIN.ids)


def test_a_smaller_labelled_share_is_part_of_a_larger_one():
    few, many = labelled_clips(100, 0.1, seed=0), labelled_clips(100, 0.5, seed=0)
    assert (int(few.sum()), int(many.sum())) == (10, 50)
    assert not (few & ~many).any()


def test_the_smallest_share_is_one_clip():
    assert int(labelled_clips(24, 0.001, seed=0).sum()) == 1


def test_a_student_alone_learns_from_labelled_clips_only():
    alone = spec(labelled_fraction=0.25)
    learned = clips_to_learn(alone, with_labelled_share(alone, TRAIN))
    assert len(learned) == 6
    assert learned.labelled is None


def test_an_advised_student_learns_from_all_clips_and_knows_which_are_labelled():
    advised = spec(labelled_fraction=0.25, losses=ADVISED, teacher=spec("teacher"))
    learned = clips_to_learn(advised, with_labelled_share(advised, TRAIN))
    assert learned.ids == TRAIN.ids
    assert int(learned.labelled.sum()) == 6


def test_a_fold_teacher_with_few_labels_learns_from_labelled_clips_of_other_videos():
    teacher = spec("teacher", folds=3, fold=0, labelled_fraction=0.5)
    seen = with_labelled_share(teacher, TRAIN)
    learned = clips_to_learn(teacher, seen)
    labelled = {clip for clip, is_one in zip(seen.ids, seen.labelled.tolist(), strict=True) if is_one}
    held_out = set(clips_to_advise_on(teacher, seen).video_ids)
    assert set(learned.ids) <= labelled
    assert not held_out & set(learned.video_ids)


def test_with_all_labels_nothing_is_marked():
    assert with_labelled_share(spec(), TRAIN) is TRAIN
    assert clips_to_learn(spec(), TRAIN) is TRAIN
    marked = replace(TRAIN, labelled=torch.ones(len(TRAIN), dtype=torch.bool))
    assert clips_to_learn(spec(), marked).ids == TRAIN.ids
