from dataclasses import replace

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.testing import assert_close
from toy_events import ToyEvents, ToyEventsConfig

from baselines.retrieval.linear_probe import LinearProbe, LinearProbeConfig
from harness.spec import BadInput

DATA = ToyEvents(ToyEventsConfig(noise=3.0)).load()


def fitted(clips, decay=0.1):
    model = LinearProbe(LinearProbeConfig(decay=decay), DATA.info).eval()
    with torch.no_grad():
        model.fit(clips)
    return model


@pytest.mark.parametrize("decay", [0.001, 0.1, 10])
def test_the_embeddings_are_the_probabilities_of_scikit_learns_logistic_regression(decay):
    train, test = DATA.train, DATA.test
    outputs = fitted(train, decay)(test)
    for view in ("audio", "vision"):
        # Scikit-learn sums the loss where we take its mean, and weighs it instead of the weights.
        theirs = LogisticRegression(C=1 / (len(train) * decay), tol=1e-8, max_iter=10000)
        theirs.fit(getattr(train, view).mean().double().numpy(), train.target.numpy())
        expected = theirs.predict_proba(getattr(test, view).mean().double().numpy())
        assert_close(
            outputs.tensor(f"{view}_embedding").double(),
            torch.from_numpy(expected),
            atol=1e-4,
            rtol=1e-4,
        )


def test_with_all_weights_at_zero_it_says_how_frequent_the_classes_are():
    clips = DATA.train.take((DATA.train.target != 3).nonzero()[:, 0].repeat(2)[:50])
    share = torch.bincount(clips.target, minlength=4) / len(clips)
    outputs = fitted(clips, decay=100.0)(DATA.test)
    assert_close(outputs.audio_embedding, share.expand(24, 4), atol=0.02, rtol=0)


def test_every_clip_twice_is_every_clip_once():
    twice = DATA.train.take(torch.arange(len(DATA.train)).repeat(2))
    assert_close(
        fitted(twice)(DATA.test).vision_embedding, fitted(DATA.train)(DATA.test).vision_embedding
    )


def test_labels_that_no_loss_may_read_are_not_read():
    hidden = torch.arange(len(DATA.train)) >= 24
    wrong = torch.where(hidden, 0, DATA.train.target)
    partly = replace(DATA.train, target=wrong, labelled=~hidden)
    expected = fitted(DATA.train.take(torch.arange(24)))(DATA.test)
    assert_close(fitted(partly)(DATA.test).audio_embedding, expected.audio_embedding)


def test_what_was_fitted_is_weights_and_biases_of_both_classifiers():
    assert fitted(DATA.train).fitted_parameters() == 4 * (7 + 1) + 4 * (9 + 1)


def test_data_without_classes_are_refused():
    with pytest.raises(BadInput, match="expected data with two or more classes, found 0"):
        LinearProbe(LinearProbeConfig(), replace(DATA.info, classes=()))
