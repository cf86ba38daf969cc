"""The byte-level BPE of models without a tokenizer of their own."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.nn.text.bpe import END, PAD, SPECIAL_TOKENS, START, ByteLevelBPE

TRANSCRIPTS = [f"it was {word} and {word}" for word in ("awful", "bad", "plain", "good", "superb")]
PRINT_IDS = f"""
import json
from harness.nn.text.bpe import ByteLevelBPE
tokenizer = ByteLevelBPE({TRANSCRIPTS!r}, 300, 16)
print(json.dumps(tokenizer.encode({TRANSCRIPTS!r}).values.tolist()))
"""
# What a special token is called is markup, not speech.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>"), max_size=20)


@pytest.fixture(scope="module")
def tokenizer():
    return ByteLevelBPE(TRANSCRIPTS, 300, 16)


@pytest.fixture(scope="module")
def long_tokenizer():
    return ByteLevelBPE(TRANSCRIPTS, 300, 512)


def ids(tokenizer, text):
    return tokenizer.encode([text]).values[0].tolist()


@given(texts)
def test_decoding_gives_the_text_back_after_the_space_before_its_first_word(long_tokenizer, text):
    spaced = text if text.startswith(" ") or not text else f" {text}"
    assert long_tokenizer.decode(ids(long_tokenizer, text)) == spaced


def test_bytes_that_were_never_seen_are_encoded():
    tokenizer = ByteLevelBPE(["abc"], 300, 64)
    found = ids(tokenizer, "Zürich 👍 北京")
    assert SPECIAL_TOKENS.index("<unk>") not in found
    assert tokenizer.decode(found) == " Zürich 👍 北京"


def test_special_ids_are_robertas_own():
    assert (SPECIAL_TOKENS[START], SPECIAL_TOKENS[PAD], SPECIAL_TOKENS[END]) == ("<s>", "<pad>", "</s>")
    assert (START, PAD, END) == (0, 1, 2)


def test_a_text_stands_between_start_and_end(tokenizer):
    first, *words, last = ids(tokenizer, "it was good")
    assert (first, last) == (START, END)
    assert min(words) >= len(SPECIAL_TOKENS)


def test_an_empty_text_is_start_and_end(tokenizer):
    assert ids(tokenizer, "") == [START, END]


def test_a_long_text_is_cut_and_keeps_its_end(tokenizer):
    whole, cut = ids(tokenizer, "it was"), ids(tokenizer, "it was plain and plain " * 20)
    assert len(cut) == 16
    assert cut[-1] == END
    assert cut[:2] == whole[:2]


def test_padding_is_masked_and_nothing_else_is(tokenizer):
    padded = tokenizer.encode(["it was good and good", "good", ""])
    assert (padded.values == PAD).equal(~padded.mask)
    assert padded.lengths.tolist() == [
        len(ids(tokenizer, text)) for text in ("it was good and good", "good", "")
    ]


def test_a_text_gets_the_same_ids_alone_and_among_others(tokenizer):
    together = tokenizer.encode(TRANSCRIPTS)
    for row, text in enumerate(TRANSCRIPTS):
        assert together.values[row][together.mask[row]].tolist() == ids(tokenizer, text)


def test_frequent_words_become_one_token(tokenizer):
    assert len(ids(tokenizer, "and and and")) == 3 + 2


def test_the_vocabulary_is_bounded_and_covers_every_byte():
    assert len(ByteLevelBPE([], 300, 16)) == 256 + len(SPECIAL_TOKENS)
    assert len(ByteLevelBPE(TRANSCRIPTS, 270, 16)) == 270
    assert max(ids(ByteLevelBPE(TRANSCRIPTS, 270, 16), "it was superb")) < 270


def test_another_process_gives_the_same_ids(tokenizer):
    other_hashes = {**os.environ, "PYTHONHASHSEED": "4711"}
    found = subprocess.run(
        [sys.executable, "-c", PRINT_IDS], env=other_hashes, capture_output=True, text=True, check=True
    )
    assert json.loads(found.stdout) == tokenizer.encode(TRANSCRIPTS).values.tolist()
