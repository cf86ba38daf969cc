"""Whole words, counted in the training transcripts."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from harness.nn.text.word_list import FIRST_WORD, PAD, UNKNOWN, WORD, WordList

TRANSCRIPTS = ["It was good, GOOD even.", "don't say it wasn't", "Ärgerlich - 10/10", ""]
plain = st.text(st.sampled_from("aB c'9,ü."), max_size=30)


@given(st.lists(plain, max_size=5))
def test_words_are_those_that_pythons_own_expressions_find(texts):
    expected = Counter(word for text in texts for word in re.findall(WORD, text.lower()))
    assert set(WordList(texts, 100, 1).words) == set(expected)


def test_words_are_lowered_and_keep_their_apostrophes():
    words = WordList(TRANSCRIPTS, 100, 1).words
    assert {"good", "don't", "wasn't", "ärgerlich", "10"} < set(words)


def test_the_most_frequent_stay_and_the_alphabet_breaks_ties():
    assert WordList(["b a", "b c", "c a", "d"], 3, 1).words == ("a", "b", "c")
    assert WordList(["b a", "b c", "b"], 1, 1).words == ("b",)


def test_rare_words_are_unknown():
    words = WordList(["good good bad"], 100, 2)
    assert words.words == ("good",)
    assert words.encode(["bad good"]).values.tolist() == [[UNKNOWN, FIRST_WORD]]


def test_padding_is_masked_and_a_text_without_words_is_all_padding():
    found = WordList(TRANSCRIPTS, 100, 1).encode(["it was", "...", "good"])
    assert found.mask.tolist() == [[True, True], [False, False], [True, False]]
    assert (found.values == PAD).equal(~found.mask)


@pytest.mark.parametrize("text", ["...", ""])
def test_one_text_without_words_has_no_step(text):
    assert WordList(TRANSCRIPTS, 100, 1).encode([text]).values.shape == (1, 0)


def test_the_library_reads_it_back():
    words = WordList(TRANSCRIPTS, 100, 1)
    read = Tokenizer.from_str(words.to_json()).encode("GOOD, don't unheard")
    assert read.ids == words.encode(["GOOD, don't unheard"]).values[0].tolist()
