"""A student of words as a folder of transformers: the same scores, by code that is not the student's."""

import json
from dataclasses import replace

import pytest
import torch
from checkpoints import save_checkpoint
from safetensors.torch import load_file
from torch.testing import assert_close
from toy import Toy, ToyConfig
from transformers import AutoTokenizer

from harness.nn.text.hub_folder import CODE, hub_scores
from harness.nn.text.modeling_text_score import TextScoreModel
from harness.nn.text.transcript import lower_if_capitals
from harness.registry import STUDENTS
from harness.spec import VariantRef
from harness.students.text_encoder import TextEncoder

DATA = Toy(ToyConfig()).load()
TINY = STUDENTS.get("text_encoder").tiny
SAID = (
    "it was good",
    "IT WAS GOOD",
    "Plain, and Fair",
    "so " * 60,
    "ÄRGER",
    "10",
    "it was awful and bad",
)


def trained(info=DATA.info, **params):
    """A student with weights far from their initialisation, so that no part of it is without effect."""
    torch.manual_seed(0)
    config = STUDENTS.configure(VariantRef(name="text_encoder", **params))
    model = TextEncoder(config, info).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.2)
    return model


def scores(model, texts=SAID):
    batch = DATA.test.take(torch.arange(len(texts)))
    with torch.inference_mode():
        return model(model.tokenise(replace(batch, transcripts=texts))).score


@pytest.mark.parametrize("pooling", ["cls", "mean", "attention"])
@pytest.mark.parametrize("levels", [0, 7])
@pytest.mark.parametrize("lowercase_capitals", [True, False])
def test_the_folder_gives_the_students_scores(pooling, levels, lowercase_capitals, tmp_path):
    params = {"pooling": pooling, "levels": levels, "lowercase_capitals": lowercase_capitals}
    model = trained(**{**TINY, **params})
    model.to_hub(tmp_path)
    expected = scores(model)
    assert_close(torch.tensor(hub_scores(tmp_path, SAID)), expected, rtol=0, atol=1e-5)
    assert (expected[0] == expected[1]) == lowercase_capitals


@pytest.mark.parametrize(
    "architecture", ["bert", "distilbert", "electra", "albert", "mpnet", "modernbert", "deberta-v2"]
)
def test_other_architectures_leave_as_well(architecture, tmp_path):
    model = trained(**{**TINY, "architecture": architecture})
    model.to_hub(tmp_path)
    assert_close(torch.tensor(hub_scores(tmp_path, SAID)), scores(model), rtol=0, atol=1e-5)


def test_class_logits_and_vector_leave_too(tmp_path):
    model = trained(**{**TINY, "levels": 5, "pooling": "attention"})
    model.to_hub(tmp_path)
    left = TextScoreModel.from_pretrained(tmp_path).eval()
    tokens = AutoTokenizer.from_pretrained(tmp_path, trust_remote_code=False)(
        ["it was good", "bad"], padding=True, return_tensors="pt"
    )
    found = left(**tokens)
    batch = replace(DATA.test.take(torch.arange(2)), transcripts=("it was good", "bad"))
    expected = model(model.tokenise(batch))
    assert_close(found.class_logits, expected.class_logits)
    assert_close(found.embedding, expected.embedding)


@pytest.mark.parametrize("lora_rank", [0, 2])
def test_a_pretrained_encoder_keeps_its_configuration_and_merges_its_adapters(lora_rank, tmp_path):
    origin = save_checkpoint(tmp_path / "origin", "bert")
    model = trained(pretrained=str(origin), max_tokens=16, lora_rank=lora_rank)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    folder = tmp_path / "left"
    folder.mkdir()
    model.to_hub(folder)
    assert_close(torch.tensor(hub_scores(folder, SAID)), scores(model), rtol=0, atol=1e-5)
    kept, given = (json.loads((each / "config.json").read_text()) for each in (folder, origin))
    sizes = ("model_type", "hidden_size", "vocab_size", "max_position_embeddings", "layer_norm_eps")
    assert {name: kept["encoder"][name] for name in sizes} == {name: given[name] for name in sizes}
    assert not any("lora" in name for name in load_file(folder / "model.safetensors"))
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


def test_writing_moves_no_random_stream(tmp_path):
    model = trained(**TINY)
    torch.manual_seed(3)
    model.to_hub(tmp_path)
    found = torch.rand(1)
    torch.manual_seed(3)
    assert torch.rand(1).equal(found)


def test_the_code_that_leaves_knows_nothing_of_us(tmp_path):
    trained(**TINY).to_hub(tmp_path)
    code = (tmp_path / CODE.name).read_text()
    assert code == CODE.read_text()
    imported = [line.split()[1] for line in code.splitlines() if line.startswith(("import", "from"))]
    assert {name.partition(".")[0] for name in imported} == {
        "__future__",
        "collections",
        "dataclasses",
        "typing",
        "torch",
        "transformers",
    }


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_an_empty_text_is_refused_by_its_row(nothing, tmp_path):
    trained(**TINY).to_hub(tmp_path)
    with pytest.raises(ValueError, match="text 1 is empty"):
        hub_scores(tmp_path, ("good", nothing))


def test_capitals_are_read_by_the_rule_of_training():
    cased = TextScoreModel.cased
    rule = type("Given", (), {"config": type("Rules", (), {"lowercase_capitals": True})})()
    assert tuple(cased(rule, text) for text in SAID) == lower_if_capitals(SAID)
