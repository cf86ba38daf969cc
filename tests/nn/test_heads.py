"""The head of students: a score, and class logits beside it."""

import numpy as np
import torch
from torch.testing import assert_close

from harness.nn.heads import ScoreHead


def head(levels=0, dropout=0.0):
    torch.manual_seed(0)
    return ScoreHead(5, levels, dropout)


def vectors():
    return torch.randn(4, 5, generator=torch.Generator().manual_seed(1))


def test_score_and_class_logits_are_linear_in_the_vector():
    model, vector = head(7), vectors()
    score, class_logits = model(vector)
    weight, bias, levels_weight, levels_bias = (value.detach().numpy() for value in model.parameters())
    np.testing.assert_allclose(score.detach(), vector.numpy() @ weight[0] + bias, rtol=1e-5)
    np.testing.assert_allclose(
        class_logits.detach(), vector.numpy() @ levels_weight.T + levels_bias, rtol=1e-4, atol=1e-6
    )


def test_class_logits_change_nothing_about_the_score():
    plain, levelled = head(dropout=0.5), head(7, dropout=0.5)
    torch.manual_seed(3)
    expected = plain(vectors())[0]
    torch.manual_seed(3)
    assert levelled(vectors())[0].equal(expected)


def test_without_levels_there_are_no_class_logits():
    assert head().outputs(vectors()).class_logits is None
    assert head(3).outputs(vectors()).class_logits.shape == (4, 3)


def test_the_embedding_is_what_was_given_and_not_what_dropout_left_of_it():
    assert head(dropout=0.5).outputs(vectors()).embedding.equal(vectors())


def test_dropout_is_off_in_evaluation():
    model = head(dropout=0.5).eval()
    assert_close(model(vectors())[0], head()(vectors())[0])
