"""TFR-Net: what is generated where steps are missing, and how it is measured and left out."""

from dataclasses import replace

import pytest
import torch
from contract import clips, ready
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.tfr_net import TFRNet, TFRNetConfig, temporal_heads
from harness.losses.generation import Generation, GenerationConfig
from harness.registry import BASELINES
from harness.robustness.absence import thinned
from harness.robustness.draws import ByClip
from harness.spec import BadInput
from harness.types import Padded

INFO = Toy(ToyConfig()).load().info
ENTRY = BASELINES.get("tfr_net")
MODALITIES = ("text", "vision", "audio")
DROPOUTS = ("text", "attention", "audio_attention", "relu", "embedding", "residual", "gate")
LOSS = Generation(GenerationConfig(), INFO)


def made(**params):
    torch.manual_seed(0)
    none = {f"{name}_dropout": 0.0 for name in DROPOUTS}
    return TFRNet(ENTRY.configure({**ENTRY.tiny, **none, **params}), INFO)


def with_missing(model, rate=0.5):
    """Training clips of which steps are missing, as the engine hands them over."""
    whole = clips()
    return replace(ready(model, thinned(whole, rate, MODALITIES, ByClip())), intact=ready(model, whole))


def changed(outputs, view):
    made_, intact = (outputs.part(f"{view}_{what}_states") for what in ("generated", "intact"))
    return (made_ != intact).any(2)


def test_steps_are_generated_where_they_are_missing_and_nowhere_else():
    model = made()
    batch = with_missing(model)
    outputs = model(batch)
    for view in MODALITIES:
        now, whole = getattr(batch, view), getattr(batch.intact, view)
        gone = (now.values != whole.values).any(2)
        assert changed(outputs, view).equal(gone)
        assert outputs.part(f"{view}_intact_states").equal(whole.values)
        assert gone.any()


@pytest.mark.parametrize("source", ["token_ids", "encoder", "transcript"])
def test_text_that_is_read_as_words_is_generated_as_its_states(source):
    model = made(text_source=source)
    batch = with_missing(model)
    outputs = model(batch)
    intact = outputs.part("text_intact_states")
    assert intact.shape == model.text(batch.intact).values.shape
    assert not intact.requires_grad
    there = model.text(batch.intact).mask
    assert (changed(outputs, "text") & ~there).sum() == 0
    assert changed(outputs, "text").any()
    assert not changed(outputs, "text").equal(there)


def test_the_peers_states_of_intact_text_learn_too():
    model = made(text_source="token_ids", targets="peer")
    assert model(with_missing(model)).part("text_intact_states").requires_grad


@pytest.mark.parametrize("intact", [True, False])
def test_where_nothing_is_missing_the_generation_loss_is_zero(intact):
    model = made()
    batch = replace(clips(), intact=clips() if intact else None)
    assert LOSS(model(batch), batch, None).item() == 0


def test_the_loss_trains_what_generates_and_what_reads_and_not_the_head():
    model = made()
    batch = with_missing(model)
    LOSS(model(batch), batch, None).backward()
    learned = {
        name.partition(".")[0]
        for name, weight in model.named_parameters()
        if weight.grad is not None and weight.grad.any()
    }
    assert learned == {"convolutions", "across", "within", "generators"}


def test_no_score_reads_what_is_generated():
    model = made().eval()
    before = model(clips()).score
    with torch.no_grad():
        for weight in model.generators.parameters():
            weight.add_(1)
    assert model(clips()).score.equal(before)


@pytest.mark.parametrize(("steps", "heads"), [(50, 25), (375, 25), (500, 25), (39, 13), (1, 1), (53, 1)])
def test_heads_over_time_are_the_largest_divisor_up_to_25(steps, heads):
    assert temporal_heads(None, steps, "text") == heads


def test_heads_over_time_that_do_not_divide_the_steps_are_refused():
    with pytest.raises(BadInput, match="temporal_heads 25 do not divide the 39 steps of text"):
        temporal_heads(25, 39, "text")
    with pytest.raises(BadInput, match=f"temporal_heads 7 do not divide the {INFO.text_steps} steps"):
        made(temporal_heads=7)


def test_in_training_a_clip_longer_than_the_data_said_is_refused_and_in_evaluation_it_is_read():
    model, batch = made(), clips(4)
    steps = INFO.vision_steps + 3
    vision = Padded(torch.ones(4, steps, 5), torch.ones(4, steps, dtype=torch.bool))
    batch = replace(batch, vision=vision)
    batch = replace(batch, intact=batch)
    assert model.eval()(batch).score.isfinite().all()
    with pytest.raises(ValueError, match=f"up to {INFO.vision_steps} steps, given {steps}"):
        model.train()(batch)


def test_states_are_a_modalitys_own_beside_what_it_learns_from_the_others():
    model = made().eval()
    text, vision, audio = model.sequences(clips())
    projected = model.projected(text, vision, audio)
    own, learned = model.within(projected), model.across(projected)
    vectors = []
    for view in range(3):
        three = (own[view], learned[2 * view], learned[2 * view + 1])
        states = Padded(torch.cat([each.values for each in three], dim=2), own[view].mask)
        vectors.append(model.gates[view](states))
    found = model(clips())
    assert_close(found.embedding, torch.cat(vectors, dim=1))
    assert_close(found.score, model.head(model.norm(found.embedding)).squeeze(1))


def test_a_batch_of_one_clip_is_normalised_as_in_evaluation():
    model, batch = made(), clips(1)
    before = model.norm.running_mean.clone()
    assert_close(model.train()(batch).score, model.eval()(batch).score)
    assert model.norm.running_mean.equal(before)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(BadInput, match="width 30 is no multiple of heads 4"):
        ENTRY.configure({"heads": 4})


def test_its_parts_are_named_in_its_configuration():
    assert TFRNetConfig().parts() == GenerationConfig.parts
