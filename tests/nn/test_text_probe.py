"""What decides whether a model is an encoder of words: how its states come out."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from harness.nn.text.probe import check_length, check_states
from harness.spec import BadInput

VOCABULARY, WIDTH, PAD = 20, 6, 1


class Reader(nn.Module):
    """States made from token vectors (B, L, D) and their mask (B, L, 1) by `how`."""

    def __init__(self, how):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(12, WIDTH)
        self.how = how

    def forward(self, input_ids, attention_mask):
        place = self.positions(torch.arange(input_ids.shape[1]))
        states = self.how(self.embedding(input_ids) + place, attention_mask.unsqueeze(2).float())
        return SimpleNamespace(last_hidden_state=states)


def sees_all(vectors, mask):
    return vectors + (vectors * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)


def sees_the_past(vectors, mask):
    return vectors.cumsum(1)


def sees_padding(vectors, mask):
    return vectors + vectors.mean(1, keepdim=True)


def is_wider(vectors, mask):
    return torch.cat((vectors, vectors), 2)


def asks_for_pixels(vectors, mask):
    raise TypeError("missing 1 required positional argument: 'pixel_values'\nand more")


def check(how):
    check_states(Reader(how), WIDTH, VOCABULARY, PAD, "'it'")


def test_a_model_whose_tokens_see_each_other_is_an_encoder():
    check(sees_all)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (sees_the_past, "'it' is no encoder: the state of a token does not see the tokens after it"),
        (sees_padding, "'it' lets padding change the states"),
        (is_wider, r"'it' gives states of shape \(1, 8, 12\), expected \(1, 8, 6\)"),
        (asks_for_pixels, r"'it' gives no states of words: missing 1 .* 'pixel_values'$"),
    ],
)
def test_another_model_is_refused_by_what_it_does(how, told):
    with pytest.raises(BadInput, match=told):
        check(how)


def test_a_small_vocabulary_is_enough():
    model = Reader(sees_all)
    model.embedding = nn.Embedding(4, WIDTH)
    check_states(model, WIDTH, 4, PAD, "'it'")


def test_more_tokens_than_positions_are_refused():
    check_length(Reader(sees_all), 12, VOCABULARY, PAD, "'it'")
    with pytest.raises(BadInput, match="max_tokens: 'it' cannot read 13 tokens at once"):
        check_length(Reader(sees_all), 13, VOCABULARY, PAD, "'it'")
