"""What holds of every registered student, in each way that it can be configured to read a clip."""

from dataclasses import replace
from typing import get_args

import pytest
import torch
from contract import build, clips, ready, ways
from tokenizers import Tokenizer
from torch.testing import assert_close

from harness.contracts import KeepsTokenizer, ScalesRates, Tokenises
from harness.efficiency.parameters import inference_parameters
from harness.registry import STUDENTS
from harness.spec import MODALITY_OF, BadInput, OutputName
from harness.types import Padded

FEATURES = ("text", "vision", "audio", "frames")


WAYS = list(ways(STUDENTS))
every_student = pytest.mark.parametrize(("entry", "config"), WAYS)
every_student_with_states = pytest.mark.parametrize(
    ("entry", "config"), [way for way in WAYS if "hidden" in way.values[1].gives()]
)
every_student_with_tokens = pytest.mark.parametrize(
    ("entry", "config"), [way for way in WAYS if issubclass(way.values[0].builder, Tokenises)]
)
every_student_with_levels = pytest.mark.parametrize(
    ("entry", "config"), [way for way in WAYS if "levels" in way.values[0].config.model_fields]
)


def blinded(batch, views):
    """The same clips, with what cannot be computed with in every other view."""
    hidden = {name: getattr(batch, name) for name in FEATURES if name not in views}
    nothing = {
        name: Padded(torch.full(view.values.shape, torch.nan), view.mask)
        for name, view in hidden.items()
    }
    return replace(batch, **nothing)


@every_student
def test_it_needs_one_modality(entry, config):
    assert len({MODALITY_OF[view] for view in config.needs()}) == 1


@every_student
def test_what_it_does_not_need_changes_no_bit_of_its_score(entry, config):
    model = build(entry, config)
    seen = model(ready(model, clips())).score
    assert model(ready(model, blinded(clips(), config.needs()))).score.equal(seen)
    assert model(ready(model, clips().only(config.needs()))).score.equal(seen)


@every_student
def test_what_it_needs_changes_its_score(entry, config):
    model = build(entry, config)
    score = model(ready(model, clips())).score
    assert score.unique().numel() > 1


@every_student
def test_it_fills_the_outputs_that_it_declares(entry, config):
    model = build(entry, config)
    outputs = model(ready(model, clips()))
    given = {name for name in get_args(OutputName) if getattr(outputs, name) is not None}
    assert given == config.gives()


@every_student
def test_padding_does_not_change_what_it_says(entry, config):
    model = build(entry, config)
    together = model(ready(model, clips()))
    for row in range(len(clips())):
        alone = model(ready(model, clips().take(torch.tensor([row]))))
        assert_close(alone.score, together.score[row : row + 1])
        for name in config.gives() & {"class_logits", "embedding"}:
            assert_close(alone.tensor(name), together.tensor(name)[row : row + 1])


@every_student_with_states
def test_states_are_zero_where_no_step_exists(entry, config):
    model = build(entry, config)
    hidden = model(ready(model, clips())).hidden
    assert not hidden.mask.all()
    assert not hidden.values[~hidden.mask].any()


@every_student
def test_it_says_the_same_twice(entry, config):
    model = build(entry, config)
    batch = ready(model, clips())
    assert model(batch).score.equal(model(batch).score)


@every_student
def test_the_order_of_the_clips_does_not_count(entry, config):
    model, order = build(entry, config), torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    found = model(ready(model, clips().take(order))).score
    assert_close(found, model(ready(model, clips())).score[order])


@every_student_with_tokens
def test_the_same_data_give_the_same_tokens(entry, config):
    found, again = (build(entry, config, seed).tokenise(clips()).tokens for seed in (0, 1))
    assert found.values.equal(again.values)
    assert found.mask.equal(again.mask)


@every_student_with_tokens
@pytest.mark.parametrize("nothing", ["", " \n"])
def test_a_clip_in_which_nothing_is_said_is_refused_by_its_id(entry, config, nothing):
    batch = clips(3)
    silent = replace(batch, transcripts=(batch.transcripts[0], nothing, batch.transcripts[2]))
    with pytest.raises(BadInput) as caught:
        build(entry, config).tokenise(silent)
    assert repr(batch.ids[1]) in str(caught.value)


@every_student_with_tokens
def test_its_tokenizer_is_one_that_the_library_reads(entry, config):
    model = build(entry, config)
    if isinstance(model, KeepsTokenizer):
        assert Tokenizer.from_str(model.tokenizer_json()).get_vocab_size() > 0


@every_student
def test_it_can_be_asked_for_before_any_training(entry, config):
    config.check()


@every_student_with_levels
def test_class_logits_stand_beside_a_score_that_they_do_not_change(entry, config):
    levelled = config.model_copy(update={"levels": 5})
    model = build(entry, levelled)
    outputs = model(ready(model, clips()))
    assert outputs.class_logits.shape == (8, 5)
    assert levelled.gives() == config.gives() | {"class_logits"}
    plain = build(entry, config)
    assert outputs.score.equal(plain(ready(plain, clips())).score)


@every_student_with_levels
def test_class_logits_are_read_from_the_words(entry, config):
    model = build(entry, config.model_copy(update={"levels": 5}))
    logits = model(ready(model, clips())).class_logits
    assert logits.unique(dim=0).shape[0] > 1
    logits.square().sum().backward()
    unread = {name for name, value in model.named_parameters() if value.grad is None}
    assert unread == {"head.weight", "head.bias"}


@every_student
def test_half_of_it_is_smaller_and_does_the_same(entry, config):
    half = config.halved()
    model, small = build(entry, config), build(entry, half)
    assert inference_parameters(small) < inference_parameters(model)
    assert (half.needs(), half.gives()) == (config.needs(), config.gives())
    assert small(ready(small, clips())).score.isfinite().all()


@every_student
def test_its_parts_learn_at_rates_above_zero(entry, config):
    model = build(entry, config)
    if isinstance(model, ScalesRates):
        assert all(model.rate_scale(name) > 0 for name, _ in model.named_parameters())


@every_student
def test_it_can_be_computed_in_double_precision(entry, config):
    model = build(entry, config)
    batch = ready(model, clips())
    expected = model(batch).score
    found = model.double()(batch.to(torch.device("cpu"), torch.float64)).score
    assert found.dtype == torch.float64
    assert_close(found.float(), expected)
