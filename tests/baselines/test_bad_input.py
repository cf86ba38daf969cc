"""What a user may get wrong about a baseline is one clear line, or a right result: never torch's own."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from contract import DATA, build, clips, ready, ways
from studies import Diary, ablation

from baselines.sentiment.config import AlignedConfig, BaselineConfig
from harness.registry import BASELINES
from harness.spec import STUDY_ADAPTER, BadInput
from harness.study.expand import expand
from harness.study.prepare import load_checked
from harness.types import Padded

PORTS = [way for way in ways(BASELINES) if issubclass(way.values[0].config, BaselineConfig)]
ALIGNED = [
    way
    for way in PORTS
    if issubclass(way.values[0].config, AlignedConfig) and way.id == way.values[0].name
]
every_port = pytest.mark.parametrize(("entry", "config"), PORTS)
every_aligned = pytest.mark.parametrize(("entry", "config"), ALIGNED)
SEQUENCES = ("token_ids", "text", "vision", "audio")


def cut(batch, steps):
    """The first steps of every sequence."""
    found = {name: getattr(batch, name) for name in SEQUENCES}
    short = {n: Padded(view.values[:, :steps], view.mask[:, :steps]) for n, view in found.items()}
    return replace(batch, **short)


@every_aligned
def test_features_that_are_not_aligned_are_refused_with_their_steps_and_a_remedy(entry, config):
    # Steps of ids are steps of text features, and every port reads the one or the other.
    options = {"align": None, "text_source": "token_ids"}
    with pytest.raises(BadInput, match=r"aligned word by word.*align: pool") as fault:
        entry.builder(config.model_copy(update=options), DATA.info)
    assert fault.value.key == "align"
    assert str(DATA.info.vision_steps) in str(fault.value)


@every_aligned
def test_words_are_not_aligned_with_features_either(entry, config):
    with pytest.raises(BadInput, match="steps are those of a tokenizer"):
        entry.builder(config.model_copy(update={"align": None, "text_source": "encoder"}), DATA.info)


@every_port
def test_a_clip_of_one_step_is_shorter_than_any_kernel_and_has_a_score(entry, config):
    model = build(entry, config)
    score = model(ready(model, cut(clips(), 1))).score
    assert score.shape == (8,)
    assert score.isfinite().all()


@every_port
def test_clips_of_one_step_can_be_trained_on(entry, config):
    model = build(entry, config).train()
    batch = ready(model, cut(clips(), 1))
    model(batch).score.square().sum().backward()
    gradients = [value.grad for value in model.parameters() if value.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


def studied(model, info):
    """The cells of a study of one baseline, and readers of data of which that is known."""
    content = ablation()
    content["base"] = {"role": "baseline", "baseline": {"model": model, "losses": {"task_l1": {}}}}
    content["arms"] = {"one": {}}
    del content["reference"]
    study = STUDY_ADAPTER.validate_python(content)
    cells = expand(study)
    reader = SimpleNamespace(load=lambda: replace(DATA, info=info))
    return study, {cells[0].spec.data: reader}, cells, Diary()


@pytest.mark.parametrize("name", ["tfn", "mult", "misa"])
def test_data_without_a_modality_that_the_model_reads_are_refused_before_training(name):
    deaf = replace(DATA.info, audio_width=None, views=DATA.info.views - {"audio"})
    tiny = {"name": name, **BASELINES.get(name).tiny}
    with pytest.raises(BadInput, match=f"{name} needs the views audio") as fault:
        load_checked(*studied(tiny, deaf))
    assert "arms.one.baseline.model" in str(fault.value)


@pytest.mark.parametrize("name", ["mfn", "ef_lstm"])
def test_so_are_data_that_are_not_aligned(name):
    tiny = {"name": name, **BASELINES.get(name).tiny, "align": None}
    with pytest.raises(BadInput, match="align: pool"):
        load_checked(*studied(tiny, DATA.info))
    assert load_checked(*studied({**tiny, "align": "pool"}, DATA.info))


def test_more_ids_than_the_encoder_has_positions_for_are_named():
    entry = BASELINES.get("text_only")
    model = build(entry, entry.configure({**entry.tiny, "text_source": "token_ids", "max_tokens": 8}))
    long = Padded(torch.full((8, 9), 5), torch.ones(8, 9, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"9 token ids.*read 8 at most; set max_tokens"):
        model(replace(clips(), token_ids=long))


def test_an_id_that_the_encoder_has_no_token_for_is_named():
    entry = BASELINES.get("text_only")
    model = build(entry, entry.configure({**entry.tiny, "text_source": "token_ids"}))
    ids = clips().token_ids
    strange = Padded(torch.where(ids.mask, ids.values + 5000, 0), ids.mask)
    with pytest.raises(ValueError, match=r"token id 5\d+ is given, and the text encoder has 300 tokens"):
        model(replace(clips(), token_ids=strange))
