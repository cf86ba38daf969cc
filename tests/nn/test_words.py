"""What students that read words have in common."""

from dataclasses import replace

import pytest
import torch
from pydantic import Field, ValidationError
from toy import Toy, ToyConfig

from harness.nn.text.words import Words, WordsConfig
from harness.spec import BadInput

CLIPS = Toy(ToyConfig()).load().test.take(torch.arange(3))


def said(*transcripts):
    return replace(CLIPS, transcripts=transcripts)


class Sized(WordsConfig):
    """A student with a width."""

    width: int = Field(8, ge=4)


@pytest.mark.parametrize("nothing", ["", "   ", "\n\t"])
def test_a_clip_in_which_nothing_is_said_is_refused_by_its_id(nothing):
    with pytest.raises(BadInput, match=r"transcripts: the transcript of clip 'test0\$_\$1' is empty"):
        Words((), lowercase_capitals=True).read(said("fine", nothing, "bad"))


def test_other_empty_clips_are_counted():
    with pytest.raises(BadInput, match=r"test0\$_\$0' \(and those of 2 other clips\)"):
        Words((), lowercase_capitals=True).read(said("", " ", ""))


def test_capitals_are_lowered_only_if_told_so():
    given = said("IT WAS GOOD", "It was", "bad")
    assert Words((), lowercase_capitals=True).read(given) == ("it was good", "It was", "bad")
    assert Words((), lowercase_capitals=False).read(given) == given.transcripts


def test_the_note_is_about_training_transcripts_that_are_lowered():
    capitals = ("GOOD", "BAD")
    assert Words(capitals, lowercase_capitals=True).notes() != ()
    assert Words(capitals, lowercase_capitals=False).notes() == ()
    assert Words(("good", "bad"), lowercase_capitals=True).notes() == ()


def test_clips_without_transcripts_are_refused():
    with pytest.raises(ValueError, match="no transcripts"):
        Words((), lowercase_capitals=True).read(replace(CLIPS, transcripts=None))


@pytest.mark.parametrize("levels", [1, 2])
def test_fewer_than_three_levels_are_refused(levels):
    with pytest.raises(ValidationError, match=f"at least 3, given {levels}"):
        WordsConfig(levels=levels)


def test_class_logits_are_given_where_there_are_levels():
    assert "class_logits" in WordsConfig(levels=7).gives()
    assert "class_logits" not in WordsConfig().gives()


def test_a_size_out_of_range_is_refused_by_its_key():
    assert Sized(levels=5).resized(width=4) == Sized(levels=5, width=4)
    with pytest.raises(BadInput, match="width: there is no such size"):
        Sized().resized(width=3)
