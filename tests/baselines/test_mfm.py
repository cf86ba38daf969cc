"""MFM: how sequences are generated, what of and when, and where the port departs from the peer."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.mfm import MFM, CodeLSTM, GeneratingLSTM, MFMConfig
from harness.types import Padded

DATA = Toy(ToyConfig()).load()
VIEWS = ("text", "vision", "audio")
OF = (*VIEWS, "joint")
SMALL = {
    "text_width": 4,
    "vision_width": 3,
    "audio_width": 2,
    "memory": 5,
    **{f"{of}_code": 3 for of in OF},
    **{f"{of}_factor": 4 for of in OF},
}
STILL = {f"{of}_dropout": 0.0 for of in (*OF, "score", "attention", "retain", "update", "head")}


def model(**params):
    torch.manual_seed(0)
    return MFM(MFMConfig(**SMALL, **STILL, align="pool", **params), DATA.info)


def without(batch, view):
    """The batch with a modality gone, and itself beside it as what it was."""
    sequence = getattr(batch, view)
    return replace(batch, intact=batch, **{view: Padded(0 * sequence.values, sequence.mask)})


@pytest.mark.parametrize("steps", [1, 5])
def test_a_sequence_is_generated_by_an_lstm_that_reads_its_own_last_state(steps):
    torch.manual_seed(0)
    module, factor = GeneratingLSTM(4, 3), torch.randn(2, 4)
    state, read, expected = None, factor, []
    for _ in range(steps):
        state = module.cell(read, state)
        read = state[0]
        expected.append(module.features(read))
    assert_close(module(factor, steps), torch.stack(expected, dim=1))


def test_a_code_is_a_layer_on_the_state_after_the_last_existing_step():
    torch.manual_seed(0)
    module, sequence = CodeLSTM(5, 3), DATA.test.vision
    for clip, steps in enumerate(sequence.lengths.tolist()):
        state = None
        for step in range(steps):
            state = module.lstm.cell(sequence.values[clip : clip + 1, step], state)
        assert_close(module(sequence)[clip], module.code(state[0])[0])


def test_the_score_comes_from_the_joint_factor_alone():
    found = model().train()
    outputs = found(DATA.test)
    assert_close(found.joint_factor(outputs.part("joint_code")).relu(), outputs.embedding)
    assert found.score(outputs.embedding).squeeze(1).equal(outputs.score)


def test_training_and_inference_give_the_same_score_and_inference_generates_nothing():
    found = model()
    ran = []
    for module in (found.codes["text"], found.generators["text"]):
        module.register_forward_hook(lambda *_: ran.append(True))
    trained = found.train()(DATA.test)
    assert len(ran) == 2
    used = found.eval()(DATA.test)
    assert len(ran) == 2
    assert used.parts == {}
    assert_close(used.score, trained.score)


def test_what_is_generated_comes_from_the_modalitys_own_factor_and_the_joint_one():
    found = model().train()
    outputs = found(DATA.test)
    for view in VIEWS:
        own = found.factors[view](outputs.part(f"{view}_code")).relu()
        both = torch.cat((outputs.embedding, own), dim=1)
        expected = found.generators[view](both, DATA.test.text.values.shape[1])
        assert_close(outputs.part(f"{view}_states"), expected)


def test_the_target_is_what_the_model_reads_and_no_number_where_there_is_no_step():
    found = model().train()
    outputs, sequences = found(DATA.test), found.named(DATA.test)
    for view in VIEWS:
        target, sequence = outputs.part(f"{view}_target_states"), sequences[view]
        assert target.isnan().all(2).equal(~sequence.mask)
        assert target.nan_to_num(0).equal(sequence.values)


def test_a_text_that_is_learned_is_a_target_without_a_gradient():
    found = model(text_source="transcript").train()
    outputs = found(found.tokenise(DATA.test))
    assert outputs.part("text_states").shape == outputs.part("text_target_states").shape
    assert not outputs.part("text_target_states").requires_grad
    assert outputs.part("text_states").requires_grad


@pytest.mark.parametrize("view", VIEWS)
def test_of_a_modality_that_was_taken_away_the_whole_one_is_generated(view):
    found = model().train()
    whole, partial = found(DATA.test), found(without(DATA.test, view))
    name = f"{view}_target_states"
    assert_close(partial.part(name), whole.part(name), equal_nan=True)
    assert not partial.score.equal(whole.score)
    assert not partial.part(f"{view}_code").equal(whole.part(f"{view}_code"))


def test_a_text_of_other_words_than_the_whole_one_is_generated_at_the_steps_of_the_whole_one():
    found = model(text_source="transcript").train()
    gone = replace(DATA.test, transcripts=("",) * 16)
    batch = replace(found.tokenise(gone), intact=found.tokenise(DATA.test))
    outputs = found(batch)
    steps = batch.intact.tokens.values.shape[1]
    assert batch.tokens.values.shape[1] < steps
    assert outputs.part("text_states").shape[1] == outputs.part("text_target_states").shape[1] == steps


def test_the_peers_idle_head_costs_weights_and_says_nothing():
    paper, peer = model().train(), model(idle_head="peer").train()
    fused, width = 4 + 3 + 2 + 5, MFMConfig().head_width
    counts = [sum(p.numel() for p in each.parameters()) for each in (paper, peer)]
    assert counts[1] - counts[0] == (fused + 1) * width + width + 1
    weights = {name: value for name, value in peer.state_dict().items() if not name.startswith("idle.")}
    paper.load_state_dict(weights)
    assert paper(DATA.test).score.equal(peer(DATA.test).score)
    peer(DATA.test).score.sum().backward()
    assert not any(value.grad.any() for value in peer.idle.parameters())
