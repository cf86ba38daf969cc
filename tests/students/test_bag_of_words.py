"""The word counter against scikit-learn and by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from torch.testing import assert_close
from toy import Toy, ToyConfig

from harness.nn.text.word_list import WORD
from harness.registry import STUDENTS
from harness.spec import BadInput, VariantRef
from harness.students.bag_of_words import BagOfWords

DATA = Toy(ToyConfig()).load()
TRAIN = (
    "It was good, really GOOD",
    "don't go: it wasn't good",
    "a plain film",
    "plain, plain and boring",
    "Äußerst gut - 10 of 10",
)
HEARD = ("good good film", "it was a plain film and I don't care", "unheard of", "Nothing KNOWN")


def build(seed=0, train=TRAIN, **params):
    torch.manual_seed(seed)
    config = STUDENTS.configure(VariantRef(name="bag_of_words", min_count=1, **params))
    return BagOfWords(config, replace(DATA.info, train_transcripts=train)).eval()


def tokenised(model, transcripts):
    batch = DATA.test.take(torch.arange(len(transcripts)))
    return model.tokenise(replace(batch, transcripts=tuple(transcripts)))


def weights(model, transcripts):
    """Each clip's weights by word."""
    found = model.weights(tokenised(model, transcripts).tokens).numpy()
    return [dict(zip(model._list.words, row, strict=True)) for row in found]


def by_scikit(vectorizer, transcripts):
    vectorizer.set_params(token_pattern=WORD, lowercase=True)
    names = vectorizer.fit(TRAIN).get_feature_names_out()
    found = vectorizer.transform(transcripts).toarray()
    return [dict(zip(names, row, strict=True)) for row in found]


@pytest.mark.parametrize(
    ("weighting", "vectorizer"),
    [
        ("tfidf", TfidfVectorizer()),
        ("count", CountVectorizer()),
        ("binary", CountVectorizer(binary=True)),
    ],
)
def test_weights_are_scikit_learns(weighting, vectorizer):
    expected = by_scikit(vectorizer, (*TRAIN, *HEARD))
    found = weights(build(weighting=weighting), (*TRAIN, *HEARD))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_the_most_frequent_words_are_those_of_scikit_learn():
    # No two words around the cut are equally frequent: good and it stand alone with plain.
    model = build(train=("a a a a b b b c c d",), vocabulary=3)
    expected = CountVectorizer(max_features=3, token_pattern=WORD).fit(["a a a a b b b c c d"])
    assert set(model._list.words) == set(expected.get_feature_names_out())


@pytest.mark.parametrize("weighting", ["count", "binary", "tfidf"])
def test_a_clip_of_unknown_words_alone_is_answered_by_the_bias(weighting):
    model = build(weighting=weighting)
    assert not any(weights(model, ["zebra quagga", "..."])[0].values())
    score = model(tokenised(model, ["zebra quagga", "..."])).score
    assert_close(score, model.head.bias.expand(2))


def test_unknown_words_change_nothing():
    model = build()
    plain, more = model(tokenised(model, ["good film", "good zebra film quagga"])).score
    assert plain.equal(more)


def test_the_order_of_words_does_not_count():
    model = build()
    one, other = model(tokenised(model, ["it was good", "good was it"])).score
    assert_close(one, other)


def test_capitals_are_the_same_words():
    model = build()
    one, other = model(tokenised(model, ["IT WAS GOOD", "it was good"])).score
    assert one.equal(other)


def test_without_a_hidden_layer_the_score_is_linear_in_the_weights():
    model = build(weighting="count")
    first, second, both = model(tokenised(model, ["good", "plain film", "good plain film"])).score
    bias = model.head.bias[0]
    assert_close(first + second - bias, both)


def test_with_a_hidden_layer_it_is_not_and_the_layer_is_the_embedding():
    model = build(weighting="count", width=3)
    outputs = model(tokenised(model, ["good", "plain film", "good plain film"]))
    assert outputs.embedding.shape == (3, 3)
    first, second, both = outputs.score
    assert not torch.isclose(first + second - model.head.bias[0], both)


def test_it_has_as_many_parameters_as_its_formula_says():
    linear, hidden = build(levels=5), build(width=3)
    words = len(linear._list.words)
    assert sum(value.numel() for value in linear.parameters()) == (words + 1) * (1 + 5)
    assert sum(value.numel() for value in hidden.parameters()) == (words + 1) * 3 + 3 + 1


def test_words_of_validation_and_test_are_not_counted():
    assert build(train=("good film",))._list.words == ("film", "good")


def test_no_word_at_all_is_refused():
    with pytest.raises(BadInput, match=r"min_count: no word .* said 1 times"):
        build(train=("...", "!"))


@pytest.mark.parametrize("width", [0, 1])
def test_a_linear_bag_has_no_half(width):
    with pytest.raises(BadInput, match=f"width: a bag of words of width {width} has no half"):
        STUDENTS.configure(VariantRef(name="bag_of_words", width=width)).halved()


def test_the_table_says_how_many_words_are_known():
    model = build(train=("good film",))
    assert model.notes() == ("bag of words: 2 words of the training transcripts",)


def test_a_linear_bag_learns_the_polarity_of_words():
    polarity = {"awful": -3.0, "bad": -2.0, "plain": 0.0, "good": 2.0, "superb": 3.0}
    model = build(train=tuple(polarity), weighting="binary").train()
    clips, target = tokenised(model, polarity), torch.tensor(list(polarity.values()))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    model.head.dropout.p = 0.0
    for _ in range(200):
        optimiser.zero_grad()
        (model(clips).score - target).square().mean().backward()
        optimiser.step()
    np.testing.assert_allclose(model(clips).score.detach(), target, atol=0.05)


def test_clips_without_tokens_are_refused():
    with pytest.raises(ValueError, match="call tokenise"):
        build()(DATA.test)
