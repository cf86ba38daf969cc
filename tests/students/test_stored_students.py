"""What holds of every model of words once it is trained: it is built again without its data."""

from dataclasses import replace

import pytest
import torch
from checkpoints import save_checkpoint
from contract import DATA, build, clips, ready, ways
from safetensors.torch import load_model, save_model

from harness.contracts import KeepsTokenizer
from harness.nn.text import hub
from harness.nn.text.word_list import WordList
from harness.registry import BASELINES, STUDENTS
from harness.spec import VariantRef

READING = [
    way
    for registry in (STUDENTS, BASELINES)
    for way in ways(registry)
    if issubclass(way.values[0].builder, KeepsTokenizer)
]


def moved(model):
    """The model with all its weights changed, as by training."""
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.05)
    return model


def rebuilt(entry, config, model, path):
    """The model from its weights and its tokenizer, without a transcript to fit one to."""
    save_model(model, str(path))
    stored = replace(DATA.info, train_transcripts=(), tokenizer_json=model.tokenizer_json())
    torch.manual_seed(99)
    again = entry.builder(config, stored).eval()
    load_model(again, str(path))
    return again


@pytest.mark.parametrize(("entry", "config"), READING)
def test_weights_and_tokenizer_are_all_that_a_model_of_words_is(entry, config, tmp_path):
    model = moved(build(entry, config))
    again = rebuilt(entry, config, model, tmp_path / "weights")
    found, expected = again(ready(again, clips())).first(), model(ready(model, clips())).first()
    assert found.equal(expected)
    assert again.tokenizer_json() == model.tokenizer_json()


def test_a_word_list_survives_its_json_in_the_order_of_its_ids():
    words = WordList(("b a c b c c", "don't"), 10, 1)
    again = WordList.from_json(words.to_json())
    assert again.words == words.words == ("c", "b", "a", "don't")
    assert again.encode(["c don't d"]).values.equal(words.encode(["c don't d"]).values)


@pytest.mark.parametrize(("name", "role"), [("text_encoder", STUDENTS), ("text_only", BASELINES)])
def test_pretrained_weights_are_not_read_for_a_model_that_is_trained(name, role, tmp_path, monkeypatch):
    folder = str(save_checkpoint(tmp_path / "hub", "bert"))
    given = {"pretrained": folder}
    given |= {} if role is STUDENTS else {"text_source": "encoder"}
    entry = role.get(name)
    config = role.configure(VariantRef(name=name, **given))
    model = moved(build(entry, config))

    def refused(*_):
        raise AssertionError("weights were read")

    monkeypatch.setattr(hub, "pretrained_encoder", refused)
    again = rebuilt(entry, config, model, tmp_path / "weights")
    assert again(ready(again, clips())).score.equal(model(ready(model, clips())).score)
