"""Transcripts that are all capitals."""

import pytest

from harness.nn.text.transcript import lower_if_capitals, mostly_capitals


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("IT WAS GOOD", "it was good"),
        ("I LIKED IT, 10/10!", "i liked it, 10/10!"),
        ("It was GOOD", "It was GOOD"),
        ("it was good", "it was good"),
        ("ÄRGERLICH", "ärgerlich"),
        ("很好", "很好"),
        ("", ""),
    ],
)
def test_only_a_text_without_a_lower_case_letter_is_lowered(given, read):
    assert lower_if_capitals([given]) == (read,)


def test_each_text_is_judged_by_itself():
    assert lower_if_capitals(["GOOD", "Good", "BAD"]) == ("good", "Good", "bad")


def test_most_means_more_than_half():
    assert mostly_capitals(["GOOD", "BAD", "fair"])
    assert not mostly_capitals(["GOOD", "bad"])
    assert not mostly_capitals([])
