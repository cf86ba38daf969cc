"""Galleries that decide nothing, or lack something, are told before a number is read."""

from dataclasses import replace

import pytest
import torch
from toy_events import ToyEvents, ToyEventsConfig

from harness.engine.gallery import absent_classes, check_galleries
from harness.spec import BadInput

DATA = ToyEvents(ToyEventsConfig()).load()


@pytest.mark.parametrize("split", ["valid", "test"])
def test_among_one_clip_nothing_can_be_missed_and_that_is_refused(split):
    alone = replace(DATA, **{split: getattr(DATA, split).take(torch.tensor([3]))})
    with pytest.raises(BadInput, match=f"^one clip in {split}.*expected at least two$"):
        check_galleries(alone)


def test_two_clips_are_a_gallery_and_one_score_is_a_score():
    pair = replace(DATA, test=DATA.test.take(torch.tensor([0, 1])))
    check_galleries(pair)
    check_galleries(
        replace(
            pair, valid=DATA.valid.take(torch.tensor([0])), info=replace(DATA.info, task="sentiment")
        )
    )


def test_a_class_that_no_clip_has_is_named_with_the_split_that_lacks_it():
    kept = (DATA.test.target != 1).nonzero().squeeze(1)
    lacking = replace(DATA, test=DATA.test.take(kept))
    assert absent_classes(DATA) == ()
    assert absent_classes(lacking) == (
        "no clip of class dog in test: its mAP is over the other classes",
    )


def test_several_classes_are_one_line():
    kept = (DATA.valid.target == 3).nonzero().squeeze(1)
    (line,) = absent_classes(replace(DATA, valid=DATA.valid.take(kept)))
    assert line.startswith("no clip of classes bell, dog, engine in valid")
