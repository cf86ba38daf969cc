"""The text student against transformers' own models."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import RobertaProcessing
from torch.testing import assert_close
from toy import WORDS, Toy, ToyConfig
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

from harness.efficiency.parameters import inference_parameters
from harness.nn.text.weights_hash import weights_sha256
from harness.registry import STUDENTS
from harness.spec import BadInput, VariantRef
from harness.students.text_encoder import TextEncoder

DATA = Toy(ToyConfig()).load()
TINY = STUDENTS.get("text_encoder").tiny
VOCABULARY = ("<s>", "<pad>", "</s>", "<unk>", "it", "was", "and", *WORDS)
SAID = ("it was good and good", "awful", "it was plain and unheard and superb")


def build(seed=0, info=DATA.info, **changes):
    torch.manual_seed(seed)
    params = changes if "pretrained" in changes else {**TINY, **changes}
    config = STUDENTS.configure(VariantRef(name="text_encoder", **params))
    return TextEncoder(config, info).eval()


def heard(model, *transcripts):
    """What the model says of these words."""
    batch = DATA.test.take(torch.arange(len(transcripts)))
    return model(model.tokenise(replace(batch, transcripts=transcripts)))


def words_tokenizer():
    start, pad, end, unknown = VOCABULARY[:4]
    tokenizer = Tokenizer(
        WordLevel({word: row for row, word in enumerate(VOCABULARY)}, unk_token=unknown)
    )
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = RobertaProcessing((end, 2), (start, 0))
    special = {"bos_token": start, "pad_token": pad, "eos_token": end, "unk_token": unknown}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


@pytest.fixture(scope="module")
def pretrained():
    """A RoBERTa and its tokenizer, as transformers has them."""
    torch.manual_seed(0)
    sizes = RobertaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    return RobertaModel(sizes).eval(), words_tokenizer()


@pytest.fixture
def folder(pretrained, tmp_path):
    """Where they were saved."""
    for part in pretrained:
        part.save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


def test_pretrained_weights_give_transformers_own_states(pretrained, folder):
    encoder, tokenizer = pretrained
    found = heard(build(pretrained=str(folder)), *SAID)
    tokens = tokenizer(list(SAID), padding=True, return_tensors="pt")
    expected = encoder(tokens["input_ids"], tokens["attention_mask"]).last_hidden_state
    mask = tokens["attention_mask"].bool()
    assert found.hidden.mask.equal(mask)
    assert_close(found.hidden.values[mask], expected[mask])


def test_the_first_token_is_the_vector_under_cls(pretrained, folder):
    encoder, tokenizer = pretrained
    found = heard(build(pretrained=str(folder), pooling="cls"), *SAID)
    tokens = tokenizer(list(SAID), padding=True, return_tensors="pt")
    assert_close(found.embedding, encoder(**tokens).last_hidden_state[:, 0])


def test_half_precision_weights_are_computed_with_in_the_trials_precision(pretrained, folder, tmp_path):
    _, tokenizer = pretrained
    tokenizer.save_pretrained(tmp_path / "half")
    RobertaModel.from_pretrained(folder).bfloat16().save_pretrained(tmp_path / "half")
    found = heard(build(pretrained=str(tmp_path / "half")), *SAID)
    assert found.score.dtype == torch.float32
    assert_close(
        found.embedding, heard(build(pretrained=str(folder)), *SAID).embedding, atol=0.05, rtol=0
    )


def test_weights_that_do_not_cover_the_encoder_are_refused(folder, pretrained):
    encoder, _ = pretrained
    kept = {name: value for name, value in encoder.state_dict().items() if "layer.1.output" not in name}
    encoder.save_pretrained(folder, state_dict=kept)
    with pytest.raises(BadInput, match=r"pretrained: .*layer\.1\.output"):
        build(pretrained=str(folder))


def test_weights_of_other_sizes_than_their_configuration_are_refused(folder):
    RobertaConfig.from_pretrained(folder, intermediate_size=48).save_pretrained(folder)
    with pytest.raises(BadInput, match="pretrained: "):
        build(pretrained=str(folder))


def test_long_transcripts_are_cut_for_a_pretrained_encoder(folder):
    model = build(pretrained=str(folder), max_tokens=8)
    assert heard(model, "it was good and " * 30).hidden.mask.shape == (1, 8)


@pytest.mark.parametrize("left", [(), ("config.json",), ("tokenizer.json", "tokenizer_config.json")])
def test_a_folder_without_encoder_or_tokenizer_is_refused_by_name(folder, left):
    for file in folder.iterdir():
        if file.name not in left:
            file.unlink()
    with pytest.raises(BadInput, match="pretrained: no encoder and tokenizer at") as caught:
        build(pretrained=str(folder))
    assert str(folder) in str(caught.value)


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match=r"pretrained: no encoder and tokenizer at .*nowhere"):
        build(pretrained=str(tmp_path / "nowhere"))


def test_an_unknown_architecture_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match=r"architecture: .*did you mean 'roberta'"):
        build(architecture="robberta")


@pytest.mark.parametrize("architecture", ["vit", "clip"])
def test_an_architecture_that_reads_no_text_is_refused(architecture):
    with pytest.raises(BadInput, match=r"architecture: .*is no text encoder"):
        build(architecture=architecture)


@pytest.mark.parametrize("architecture", ["t5", "bart"])
def test_an_encoder_with_a_decoder_is_refused(architecture):
    with pytest.raises(BadInput, match=r"architecture: .*decoder"):
        build(architecture=architecture)


@pytest.mark.parametrize(
    "architecture",
    ["roberta", "bert", "distilbert", "electra", "albert", "mpnet", "modernbert", "deberta-v2"],
)
def test_an_architecture_is_built_at_the_sizes_given(architecture):
    model = build(architecture=architecture, width=24, heads=3, layers=3, max_tokens=12)
    found = heard(model, *SAID, "it was superb and superb " * 20)
    assert found.embedding.shape == (4, 24)
    assert found.hidden.mask.sum(1).max() == 12
    assert found.score.isfinite().all()
    assert (model.encoder.config.num_hidden_layers, model.encoder.config.num_attention_heads) == (3, 3)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(BadInput, match="width 16 is not a multiple of heads 3"):
        build(heads=3)


def test_no_weight_is_left_that_no_score_reads():
    model = build()
    heard(model, *SAID).score.sum().backward()
    unread = {name for name, value in model.named_parameters() if value.grad is None}
    assert unread == set()


def test_the_mean_is_numpys_over_existing_tokens():
    found = heard(build(), *SAID)
    states, mask = found.hidden.values.detach().numpy(), found.hidden.mask.numpy()
    expected = np.stack([states[row][mask[row]].mean(0) for row in range(len(SAID))])
    np.testing.assert_allclose(found.embedding.detach().numpy(), expected, atol=1e-6)


def test_the_score_is_linear_in_the_vector():
    model = build()
    found = heard(model, *SAID)
    weight, bias = (value.detach().numpy() for value in model.head.parameters())
    expected = found.embedding.detach().numpy() @ weight[0] + bias
    np.testing.assert_allclose(found.score.detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("source", ["fresh", "pretrained"])
def test_capitals_are_the_same_words_unless_told_otherwise(source, folder):
    origin = {"pretrained": str(folder)} if source == "pretrained" else {}
    shouted, spoken = heard(build(**origin), "IT WAS GOOD", "it was good").score
    assert shouted.equal(spoken)
    shouted, spoken = heard(
        build(lowercase_capitals=False, **origin), "IT WAS GOOD", "it was good"
    ).score
    assert not shouted.equal(spoken)


def test_the_table_says_when_transcripts_were_lower_cased():
    capitals = replace(
        DATA.info, train_transcripts=tuple(t.upper() for t in DATA.info.train_transcripts)
    )
    told = "transcripts were all capitals and are lower-cased"
    assert told in build(info=capitals).notes()
    assert told not in build().notes()
    assert told not in build(info=capitals, lowercase_capitals=False).notes()


def test_the_table_says_where_the_weights_come_from(folder):
    model = build(pretrained=str(folder))
    weights = weights_sha256(model.encoder)[:12]
    assert model.notes() == (f"text encoder: {folder} (weights sha256 {weights})",)
    assert "fresh weights" in build().notes()[0]


def test_clips_without_tokens_are_refused():
    with pytest.raises(ValueError, match="call tokenise"):
        build()(DATA.test)


def test_other_weights_in_the_same_folder_are_told_apart(pretrained, folder):
    before = build(pretrained=str(folder)).notes()
    assert build(seed=1, pretrained=str(folder)).notes() == before
    encoder = RobertaModel.from_pretrained(folder)
    with torch.no_grad():
        encoder.embeddings.word_embeddings.weight[5, 0] += 1e-3
    encoder.save_pretrained(folder)
    assert build(pretrained=str(folder)).notes() != before


def test_attention_weighs_the_tokens_and_starts_as_their_mean():
    model = build(pooling="attention")
    assert_close(heard(model, *SAID).embedding, heard(build(pooling="mean"), *SAID).embedding)
    with torch.no_grad():
        model.pooling.query.normal_(generator=torch.Generator().manual_seed(0))
    found = heard(model, *SAID)
    shares = model.pooling.shares(found.hidden)
    assert_close(found.embedding, torch.einsum("bt,btd->bd", shares, found.hidden.values))


def test_layers_learn_more_slowly_towards_the_embeddings():
    model = build(layers=3, layer_decay=0.5, encoder_rate=0.25, pooling="attention")
    rates = {name: model.rate_scale(name) for name, _ in model.named_parameters()}
    assert {rates["head.weight"], rates["head.bias"], rates["pooling.query"]} == {1.0}
    for layer, decay in enumerate((0.125, 0.25, 0.5)):
        of_layer = {rate for name, rate in rates.items() if f".layer.{layer}." in name}
        assert of_layer == {0.25 * decay}
    assert {rate for name, rate in rates.items() if "embeddings" in name} == {0.25 * 0.0625}
    assert {build().rate_scale(name) for name in rates} == {1.0}


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "deberta", "deberta-v2", "modernbert"])
def test_rates_fall_in_every_architecture(architecture):
    model = build(architecture=architecture, layers=2, layer_decay=0.5)
    found = {model.rate_scale(name) for name, _ in model.named_parameters()}
    assert found == {1.0, 0.5, 0.25, 0.125}


def test_adapters_and_head_are_all_that_learns_under_lora(folder):
    model = build(pretrained=str(folder), lora_rank=2, pooling="attention", levels=3)
    learning = {name for name, value in model.named_parameters() if value.requires_grad}
    assert {name for name in learning if name.startswith("encoder.")} == {
        name for name, _ in model.named_parameters() if ".lora_" in name
    }
    assert learning >= {"head.weight", "head.levels.weight", "pooling.query"}
    assert {model.rate_scale(name) for name in learning} == {1.0}


def test_everything_that_inference_needs_is_counted_under_lora(folder):
    plain = inference_parameters(build(pretrained=str(folder)))
    model = build(pretrained=str(folder), lora_rank=2)
    adapters = sum(value.numel() for name, value in model.named_parameters() if ".lora_" in name)
    assert adapters > 0
    assert inference_parameters(model) == plain + adapters


def test_a_student_with_fresh_adapters_says_what_one_without_says(folder):
    plain = heard(build(pretrained=str(folder)), *SAID)
    adapted = build(pretrained=str(folder), lora_rank=2)
    assert_close(heard(adapted, *SAID).hidden.values, plain.hidden.values)
    assert adapted.notes()[0].endswith(", frozen, with adapters of rank 2")


def test_adapters_of_fresh_weights_are_refused():
    with pytest.raises(BadInput, match="lora_rank adapts pretrained weights"):
        build(lora_rank=2)


@pytest.mark.parametrize("rate", [{"layer_decay": 0.9}, {"encoder_rate": 0.1}])
def test_rates_of_a_frozen_encoder_are_refused(rate):
    with pytest.raises(BadInput, match="layer_decay and encoder_rate must stay 1"):
        STUDENTS.configure(VariantRef(name="text_encoder", pretrained="it", lora_rank=2, **rate))


@pytest.mark.parametrize(
    ("sizes", "halves"),
    [
        ({"width": 64, "heads": 4}, (32, 4)),
        ({"width": 24, "heads": 3}, (12, 3)),
        ({"width": 20, "heads": 4}, (10, 2)),
        ({"width": 18, "heads": 6}, (9, 3)),
    ],
)
def test_half_the_width_has_heads_that_divide_it(sizes, halves):
    half = STUDENTS.configure(VariantRef(name="text_encoder", layers=3, **sizes)).halved()
    assert (half.width, half.heads) == halves
    assert half.layers == 3


def test_a_pretrained_encoder_has_no_half():
    with pytest.raises(BadInput, match=r"pretrained: 'it' is pretrained and has one size"):
        STUDENTS.configure(VariantRef(name="text_encoder", pretrained="it")).halved()


def test_a_width_that_cannot_be_halved_is_refused():
    with pytest.raises(BadInput, match="width: there is no such size"):
        STUDENTS.configure(VariantRef(name="text_encoder", width=8)).halved()


def test_a_decoder_is_refused_when_the_study_is_loaded():
    config = STUDENTS.configure(VariantRef(name="text_encoder", architecture="gpt2"))
    with pytest.raises(BadInput, match="architecture: 'gpt2' is no encoder"):
        config.check()


def test_a_pretrained_encoder_is_looked_for_when_the_study_is_loaded(folder):
    config = STUDENTS.configure(VariantRef(name="text_encoder", pretrained=str(folder), lora_rank=2))
    config.check()
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=r"pretrained: no encoder and tokenizer"):
        config.check()
