"""Vocabularies of paper size: rows of a fresh encoder's embedding beyond the tokens of little text."""

import pytest
import torch
from contract import DATA, clips
from tokenizers import Tokenizer

from harness.registry import BASELINES, STUDENTS, discover
from harness.spec import BadInput

discover()

STUDENT = (STUDENTS.get("text_encoder"), "embedding_rows", {})
BASELINE = (BASELINES.get("text_only"), "encoder_rows", {"text_source": "encoder"})
of_each = pytest.mark.parametrize(("entry", "field", "params"), [STUDENT, BASELINE])


def configure(entry, **params):
    return entry.configure({**entry.tiny, **params})


def build(entry, **params):
    torch.manual_seed(0)
    return entry.builder(configure(entry, **params), DATA.info).eval()


def embedding(model):
    encoder = model.encoder if hasattr(model, "encoder") else model.text.encoder
    return encoder.get_input_embeddings().weight


def size(model):
    return sum(value.numel() for value in model.parameters())


def told_rows(model):
    tokens = model.tokenise(clips(4))
    return model(tokens).score


@of_each
def test_rows_are_as_many_as_asked_for_and_all_that_is_added(entry, field, params):
    plain, large = build(entry, **params), build(entry, **params, **{field: 1000})
    tokens, width = embedding(plain).shape
    assert tokens <= 300
    assert embedding(large).shape == (1000, width)
    assert size(large) - size(plain) == (1000 - tokens) * width
    assert plain.tokenizer_json() == large.tokenizer_json()


@of_each
def test_rows_without_a_token_are_never_read(entry, field, params):
    model = build(entry, **params, **{field: 1000})
    before = told_rows(model)
    with torch.no_grad():
        embedding(model)[300:] = torch.nan
    assert told_rows(model).equal(before)


@of_each
def test_without_the_field_there_is_a_row_for_each_token(entry, field, params):
    model = build(entry, **params)
    assert len(embedding(model)) == Tokenizer.from_str(model.tokenizer_json()).get_vocab_size()


@of_each
def test_fewer_rows_than_tokens_are_refused(entry, field, params):
    with pytest.raises(BadInput, match=f"{field}: .*each of 400 tokens at least, given 399"):
        configure(entry, **params, vocabulary=400, **{field: 399})


@of_each
def test_rows_of_a_pretrained_encoder_are_its_own(entry, field, params):
    with pytest.raises(BadInput, match=f"{field} is of a fresh encoder, and 'minilm' brings its own"):
        configure(entry, **params, pretrained="minilm", **{field: 50_265})


def test_paper_sizes_have_the_papers_vocabularies():
    sizes = {"vocabulary": 2000, "embedding_rows": 50_265, "width": 1024, "heads": 16, "layers": 24}
    assert configure(STUDENT[0], **sizes).sizes(321).vocabulary == 50_265
