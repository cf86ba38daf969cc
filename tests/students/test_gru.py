"""The recurrent student against its equations."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from harness.registry import STUDENTS
from harness.spec import BadInput, VariantRef
from harness.students.gru import Gru

DATA = Toy(ToyConfig()).load()
TINY = STUDENTS.get("gru").tiny
SAID = ("it was good and good", "awful", "it was plain and unheard and superb")


def configure(**changes):
    return STUDENTS.configure(VariantRef(name="gru", **{**TINY, **changes}))


def build(seed=0, info=DATA.info, **changes):
    torch.manual_seed(seed)
    return Gru(configure(**changes), info).eval()


def tokenised(model, *transcripts):
    batch = DATA.test.take(torch.arange(len(transcripts)))
    return model.tokenise(replace(batch, transcripts=transcripts))


def heard(model, *transcripts):
    """What the model says of these words."""
    return model(tokenised(model, *transcripts))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def one_direction(model, vectors, suffix):
    """Cho et al. 2014, equations 5 to 8, in the form that cuDNN gave them; states in reading order."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    w, u, b, c = (getattr(model.gru, f"{name}_l0{suffix}").detach().numpy() for name in names)
    width = u.shape[1]
    state, states = np.zeros(width), []
    for x in vectors:
        of_input, of_state = np.split(w @ x + b, 3), np.split(u @ state + c, 3)
        reset, update = (sigmoid(of_input[gate] + of_state[gate]) for gate in (0, 1))
        candidate = np.tanh(of_input[2] + reset * of_state[2])
        state = (1 - update) * candidate + update * state
        states.append(state)
    return np.stack(states)


def by_hand(model, clips):
    """States (T, D) of each clip, forward and backward side by side."""
    table = model.embedding.weight.detach().numpy()
    for ids, mask in zip(clips.tokens.values, clips.tokens.mask, strict=True):
        vectors = table[ids[mask].numpy()]
        backward = one_direction(model, vectors[::-1], "_reverse")[::-1]
        yield np.concatenate((one_direction(model, vectors, ""), backward), axis=1)


def test_states_are_those_of_the_equations_in_both_directions():
    model = build()
    clips = tokenised(model, *SAID)
    hidden = model(clips).hidden
    for row, states in enumerate(by_hand(model, clips)):
        found = hidden.values[row][hidden.mask[row]].detach().numpy()
        np.testing.assert_allclose(found, states, rtol=1e-4, atol=1e-6)


def test_the_last_states_are_those_at_the_end_of_each_direction():
    model = build(pooling="last")
    clips = tokenised(model, *SAID)
    half = TINY["width"] // 2
    expected = [
        np.concatenate((states[-1, :half], states[0, half:])) for states in by_hand(model, clips)
    ]
    np.testing.assert_allclose(model(clips).embedding.detach(), expected, rtol=1e-4, atol=1e-6)


def test_the_mean_is_over_existing_tokens():
    model = build(pooling="mean")
    clips = tokenised(model, *SAID)
    expected = [states.mean(0) for states in by_hand(model, clips)]
    np.testing.assert_allclose(model(clips).embedding.detach(), expected, rtol=1e-4, atol=1e-6)


def test_more_layers_use_the_top_ones_last_states():
    model = build(layers=2, pooling="last")
    found = heard(model, *SAID)
    half = TINY["width"] // 2
    for row, length in enumerate(found.hidden.lengths):
        last, first = found.hidden.values[row, length - 1, :half], found.hidden.values[row, 0, half:]
        assert found.embedding[row].equal(torch.cat((last, first)))


def test_the_order_of_words_counts():
    one, other = heard(build(), "it was good", "good was it").score
    assert not one.isclose(other)


def test_long_transcripts_are_cut():
    assert heard(build(max_tokens=8), "it was good and " * 30).hidden.mask.shape == (1, 8)


def test_capitals_are_the_same_words_unless_told_otherwise():
    shouted, spoken = heard(build(), "IT WAS GOOD", "it was good").score
    assert shouted.equal(spoken)
    shouted, spoken = heard(build(lowercase_capitals=False), "IT WAS GOOD", "it was good").score
    assert not shouted.equal(spoken)


def test_the_table_says_when_transcripts_were_lower_cased():
    train = tuple(text.upper() for text in DATA.info.train_transcripts)
    capitals = replace(DATA.info, train_transcripts=train)
    assert build(info=capitals).notes() == ("transcripts were all capitals and are lower-cased",)
    assert build().notes() == ()


def test_half_of_it_has_half_the_states_and_half_the_token_vectors():
    half = configure(width=20, embedding=9).halved()
    assert (half.width, half.embedding) == (10, 4)
    with pytest.raises(BadInput, match="width: there is no such size"):
        configure(width=4).halved()


def test_an_odd_width_is_refused():
    with pytest.raises(BadInput, match=r"width: .*multiple of 2"):
        configure(width=7)


def test_clips_without_tokens_are_refused():
    with pytest.raises(ValueError, match="call tokenise"):
        build()(DATA.test)
