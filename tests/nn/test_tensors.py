"""A model from tensors to tensors says what the model says of batches."""

from dataclasses import replace

import pytest
import torch
from contract import clips_of, longer, ready, ready_to_use, ways
from torch import nn

from harness.nn.tensors import TensorModel
from harness.registry import BASELINES, STUDENTS, discover
from harness.types import Batch, Outputs

discover()
every_model = pytest.mark.parametrize(
    ("entry", "config"), [way for kind in (STUDENTS, BASELINES) for way in ways(kind)]
)


def student():
    entry = STUDENTS.get("text_encoder")
    return ready_to_use(entry, entry.tiny_config())


def spoken(model, count=3):
    return ready(model, clips_of("sentiment", count).only(frozenset({"transcript"})))


class StatesOnly(nn.Module):
    """A model that gives the states of words and nothing of the clip."""

    def forward(self, batch: Batch) -> Outputs:
        return Outputs(hidden=batch.text)


@every_model
@torch.inference_mode()
def test_it_says_bit_for_bit_what_the_model_says_of_clips_it_was_not_made_with(entry, config):
    model = ready_to_use(entry, config)
    clips = ready(model, clips_of(config.task, 4))
    told = TensorModel(model, clips.take(torch.arange(1)))
    found, expected = told.pack(told(*told.unpack(clips))), model(clips)
    assert all(torch.equal(found.tensor(name), expected.tensor(name)) for name in told.outputs)


def test_inputs_are_the_sequences_that_the_model_sees_and_outputs_what_it_gives_of_clips():
    model = student()
    told = TensorModel(model, spoken(model))
    assert told.input_names == ("tokens", "tokens_mask")
    assert told.output_names == ("score", "embedding")
    assert [tensor.dtype for tensor in told.unpack(spoken(model))] == [torch.int64, torch.bool]


def test_states_are_an_output_with_their_mask_where_there_is_nothing_else():
    clips = clips_of("sentiment", 2).only(frozenset({"text"}))
    told = TensorModel(StatesOnly(), clips)
    assert told.output_names == ("hidden", "hidden_mask")
    hidden = told.pack(told(*told.unpack(clips))).hidden
    assert torch.equal(hidden.values, clips.text.values)
    assert torch.equal(hidden.mask, clips.text.mask)


def test_weights_are_the_models_own_and_its_mode_stays_as_it_was():
    model = student().train()
    model.head.eval()
    modes = [part.training for part in model.modules()]
    told = TensorModel(model, spoken(model))
    assert {id(each) for each in told.parameters()} == {id(each) for each in model.parameters()}
    assert [part.training for part in model.modules()] == modes


def test_a_sequence_that_is_missing_is_named():
    model = student()
    clips = spoken(model)
    told = TensorModel(model, clips)
    with pytest.raises(ValueError, match="no tokens; expected: tokens"):
        told.unpack(replace(clips, tokens=None))


def test_what_was_precomputed_is_refused_as_it_would_be_left_out():
    model = student()
    clips = replace(longer(spoken(model)), precomputed={"utterance": torch.zeros(3, 2)})
    with pytest.raises(ValueError, match="precomputed"):
        TensorModel(model, spoken(model)).unpack(clips)
