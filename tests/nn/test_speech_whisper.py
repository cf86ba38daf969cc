"""Speech recognition: how long it writes, what it writes, and what it refuses."""

import json

import numpy as np
import pytest
import torch
from checkpoints import fitted_tokenizer
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

from harness.nn.speech.greedy import prompt_of, write
from harness.nn.speech.whisper import (
    PUBLISHED,
    WhisperSizes,
    check_recogniser,
    recogniser,
    transcript_tokens,
)
from harness.spec import BadInput

SIZES = {"whisper-tiny": WhisperSizes(layers=1, width=16, heads=2)}
SOUND = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
SMALL = {
    "vocab_size": 60,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_target_positions": 12,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 0,
    "init_std": 0.5,
    "begin_suppress_tokens": None,
}


@pytest.fixture(scope="module")
def whisper():
    return recogniser("whisper-tiny", SIZES)


@pytest.fixture
def steps(whisper):
    """Token ids that the decoder was given, call by call."""
    found = []
    hook = whisper.network.model.decoder.register_forward_pre_hook(
        lambda module, args, named: found.append(named["input_ids"].shape[1]), with_kwargs=True
    )
    yield found
    hook.remove()


def save(folder, **changes):
    torch.manual_seed(4)
    network = WhisperForConditionalGeneration(WhisperConfig(**{**SMALL, **changes}))
    ids = {name: value for name, value in SMALL.items() if name.endswith("_token_id")}
    network.generation_config = GenerationConfig(**ids, max_length=12)
    network.save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    fitted_tokenizer().save_pretrained(folder)
    return network.eval()


@pytest.mark.parametrize(
    ("name", "millions"),
    [("whisper-tiny", 39), ("whisper-base", 74), ("whisper-small", 244), ("whisper-medium", 769)],
)
def test_published_sizes_have_the_parameters_of_the_paper_within_four_per_cent(name, millions):
    with torch.device("meta"):
        network = recogniser(name).network
    count = sum(tensor.numel() for tensor in network.parameters())
    assert count / 1e6 == pytest.approx(millions, rel=0.04)


@pytest.mark.parametrize("count", [1, 2, 17])
def test_random_weights_write_as_many_tokens_as_are_asked_for_and_a_step_each(whisper, steps, count):
    (said,) = whisper.transcribe([SOUND], [count])
    assert len(said.split()) == count
    # The four tokens before a text are read at once, and each token but the last makes another.
    assert steps == [4] + [1] * (count - 1)


def test_every_sound_has_its_own_count_of_tokens(whisper):
    said = whisper.transcribe([SOUND, SOUND[:1000], SOUND[:0]], [3, 1, 2])
    assert [len(text.split()) for text in said] == [3, 1, 2]


def test_a_sound_of_more_than_30_s_is_heard_in_windows_that_share_the_tokens(whisper, steps):
    (said,) = whisper.transcribe([np.zeros(16000 * 61, np.float32)], [7])
    assert steps == [4, 1, 1, 4, 1, 4, 1]
    assert len(said.split()) == 7
    assert len(whisper.transcribe([np.zeros(16000 * 61, np.float32)], [1])[0].split()) == 1


def test_random_weights_are_the_same_whoever_draws_before_and_move_nobodys_draws(whisper):
    torch.manual_seed(8)
    again, after = recogniser("whisper-tiny", SIZES), torch.rand(2)
    torch.manual_seed(8)
    assert torch.equal(after, torch.rand(2))
    theirs = whisper.network.state_dict()
    assert all(torch.equal(one, theirs[name]) for name, one in again.network.state_dict().items())
    assert again.is_random
    assert "random weights" in again.notes()[0]


@torch.no_grad()
def test_real_weights_write_what_the_likeliest_tokens_say_until_the_text_ends(tmp_path):
    network = save(tmp_path)
    heard = WhisperFeatureExtractor()(SOUND, sampling_rate=16000, return_tensors="pt").input_features
    ids = [0]
    while ids[-1] != 2 and len(ids) < 12:
        logits = network(input_features=heard, decoder_input_ids=torch.tensor([ids])).logits
        ids.append(int(logits[0, -1].argmax()))
    expected = fitted_tokenizer().decode(ids, skip_special_tokens=True).strip()
    assert expected
    found = recogniser(str(tmp_path))
    assert found.transcribe([SOUND, SOUND], [1, 9]) == (expected, expected)
    assert not found.is_random
    assert found.notes() == (
        f"speech recognition: {tmp_path}, its own weights, until the end of the text, greedy, "
        "windows of 30 s",
    )


@torch.no_grad()
def test_the_language_is_told_from_what_was_heard_and_stands_before_the_text(tmp_path):
    network = save(tmp_path)
    more = {"lang_to_id": {"<|en|>": 7, "<|zh|>": 8}, "task_to_id": {"transcribe": 9}}
    more |= {"no_timestamps_token_id": 10, "suppress_tokens": [30], "begin_suppress_tokens": [31]}
    file = tmp_path / "generation_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))
    heard = WhisperFeatureExtractor()(SOUND, sampling_rate=16000, return_tensors="pt").input_features

    def after(ids):
        return network(input_features=heard, decoder_input_ids=torch.tensor([ids])).logits[0, -1]

    ids = [0, 7 if after([0])[7] > after([0])[8] else 8, 9, 10]
    while ids[-1] != 2 and len(ids) < 12:
        logits = after(ids)
        logits[30] = logits[31 if len(ids) == 4 else 30] = -torch.inf
        ids.append(int(logits.argmax()))
    expected = fitted_tokenizer().decode(ids[4:], skip_special_tokens=True).strip()
    assert recogniser(str(tmp_path)).transcribe([SOUND], [1]) == (expected,)


def test_writing_ends_where_transformers_ends_it(tmp_path):
    network = save(tmp_path, eos_token_id=2)
    heard = WhisperFeatureExtractor()(SOUND, sampling_rate=16000, return_tensors="pt").input_features
    with torch.no_grad():
        states = network.model.encoder(heard).last_hidden_state
        plain = write(network, states, prompt_of(network))
        # A token that is written in the middle, made the one that ends.
        network.generation_config.eos_token_id = plain[3]
        found = write(network, states, prompt_of(network))
        theirs = network.generate(heard, do_sample=False, num_beams=1)[0].tolist()
    assert found == plain[: plain.index(plain[3]) + 1]
    assert [one for one in theirs if one != plain[3]] == found[:-1]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("whisper-tinny", r"asr: expected a size of Whisper or a local folder, .*'whisper-tiny'"),
        ("no/where", r"asr: expected .* known: whisper-base, whisper-medium, whisper-small"),
    ],
)
def test_what_is_neither_a_size_nor_a_folder_is_told_with_what_there_is(name, told):
    for ask in (recogniser, check_recogniser):
        with pytest.raises(BadInput, match=told):
            ask(name)


def test_a_folder_without_a_whole_whisper_is_told(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "wav2vec2"}))
    with pytest.raises(BadInput, match=r"asr: .* holds a wav2vec2, expected a whisper"):
        recogniser(str(tmp_path))
    save(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(BadInput, match=r"asr: .* cannot be loaded: "):
        recogniser(str(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=r"asr: .* cannot be loaded: "):
        recogniser(str(tmp_path))
    check_recogniser(str(tmp_path))


def test_a_transcript_stands_for_a_token_every_four_bytes_and_its_end():
    assert transcript_tokens("") == 1
    assert transcript_tokens("good") == 2
    assert transcript_tokens("a very good film") == 5
    assert transcript_tokens("好") == 2


def test_every_published_size_passes_the_check():
    for name in PUBLISHED:
        check_recogniser(name)
