"""Five whole models whose operations are written out: what is multiplied with what, two a multiply-add.

The traps are shown too: what torch's own counter says of the same calls.
"""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode
from toy import Toy, ToyConfig

from baselines.sentiment.ef_lstm import EFLSTM, EFLSTMConfig
from baselines.sentiment.tfn import TFN, TFNConfig
from harness.efficiency.flops import forward_flops
from harness.students.bag_of_words import BagOfWords, BagOfWordsConfig
from harness.students.text_encoder import TextEncoder, TextEncoderConfig
from harness.types import Padded

DATA = Toy(ToyConfig()).load()
B = 3
CLIPS = DATA.train.take(torch.arange(B))


def of_torch(call):
    """What the counter of torch says by itself."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def dense(rows, *widths):
    """Layers from width to width, over so many rows."""
    return 2 * rows * sum(inner * outer for inner, outer in pairwise(widths))


ENCODER_LAYER = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
TRAPS = {
    "attention": lambda: scaled_dot_product_attention(*[torch.randn(B, 2, 5, 4)] * 3),
    "transformer": lambda: nn.TransformerEncoder(ENCODER_LAYER, 2).eval()(torch.randn(B, 5, 8)),
    "lstm": lambda: nn.LSTM(8, 4, batch_first=True)(torch.randn(B, 5, 8)),
    "outer product": lambda: torch.randn(B, 5, 1) * torch.randn(B, 1, 8),
}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("trap", TRAPS)
def test_torchs_counter_alone_finds_nothing(trap):
    assert of_torch(TRAPS[trap]) == 0


def test_a_text_encoder_is_layers_over_tokens_and_attention_between_them():
    width, layers, heads = 16, 2, 4
    sizes = {"width": width, "layers": layers, "heads": heads, "vocabulary": 300}
    model = TextEncoder(TextEncoderConfig(**sizes), DATA.info).eval()
    clips = model.tokenise(CLIPS)
    length = clips.tokens.values.shape[1]
    # Queries, keys, values, and the layer behind the heads; a hidden layer four times as wide.
    layers_of_each = 4 * dense(B * length, width, width) + dense(B * length, width, 4 * width, width)
    # Scores of every token with every token, and the values that they weigh; the heads share the width.
    attention = 2 * (2 * B * length * length * width)
    expected = layers * (layers_of_each + attention) + dense(B, width, 1)
    assert forward_flops(model, clips) == expected
    assert of_torch(lambda: model(clips)) == expected - layers * attention


def test_early_fusion_is_four_gates_a_step_and_layer_and_a_head():
    steps, hidden, text, vision, audio = 5, 6, 4, 3, 2
    mask = torch.ones(B, steps, dtype=torch.bool)
    views = {"text": text, "vision": vision, "audio": audio}
    clips = replace(
        CLIPS, **{name: Padded(torch.randn(B, steps, width), mask) for name, width in views.items()}
    )
    info = replace(
        DATA.info, is_aligned=True, **{f"{name}_width": width for name, width in views.items()}
    )
    model = EFLSTM(EFLSTMConfig(hidden=hidden, layers=2), info).eval()
    joined = text + vision + audio
    # Four gates, each of the input and of the state before; the second layer reads the first.
    cells = dense(B * steps, joined + hidden, 4 * hidden) + dense(B * steps, hidden + hidden, 4 * hidden)
    head = dense(B, hidden, hidden, 1)
    assert forward_flops(model, clips) == cells + head
    assert of_torch(lambda: model(clips)) == head


def test_a_front_end_of_convolutions_is_its_windows_at_every_place():
    # Sound: 400 samples, windows of 10 every 5 to 79 steps of 8; then windows of 3 every 2 to 39 of 6.
    sound = nn.Sequential(
        nn.Conv1d(1, 8, 10, stride=5), nn.GELU(), nn.Conv1d(8, 6, 3, stride=2), nn.GELU(),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 1),
    )  # fmt: skip
    expected = 2 * B * (79 * 8 * (1 * 10) + 39 * 6 * (8 * 3) + 6 * 1)
    assert forward_flops(sound, torch.randn(B, 1, 400)) == expected
    # Pictures of 16 × 16: patches of 4 to 4 × 4 of 8; each channel by itself, padded; channels mixed.
    pictures = nn.Sequential(
        nn.Conv2d(3, 8, 4, stride=4), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 12, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 1),
    )  # fmt: skip
    per_place = 8 * (3 * 4 * 4) + 8 * (1 * 3 * 3) + 12 * 8
    expected = 2 * B * (4 * 4 * per_place + 12 * 1)
    assert forward_flops(pictures, torch.randn(B, 3, 16, 16)) == expected


def test_tensor_fusion_is_its_sub_networks_the_cube_and_a_head():
    text, vision, audio, hidden, head = 4, 3, 2, 5, 6
    sizes = {"text_width": text, "vision_width": vision, "audio_width": audio}
    model = TFN(TFNConfig(**sizes, text_hidden=hidden, head_width=head), DATA.info).eval()
    read = DATA.info.width("text")
    lstm = dense(B * CLIPS.text.values.shape[1], read + hidden, 4 * hidden)
    vectors = dense(B, hidden, text)
    vectors += dense(B, DATA.info.width("vision"), vision, vision, vision)
    vectors += dense(B, DATA.info.width("audio"), audio, audio, audio)
    # Each vector with a one beside it: first vision by sound, one product an entry, then text by that.
    pairs = (vision + 1) * (audio + 1)
    fused = (text + 1) * pairs
    outer = B * (pairs + fused)
    layers = vectors + dense(B, fused, head, head, 1)
    assert forward_flops(model, CLIPS) == lstm + layers + outer
    assert of_torch(lambda: model(CLIPS)) == layers


def test_a_bag_of_words_is_the_layers_on_its_counts():
    model = BagOfWords(BagOfWordsConfig(vocabulary=50, min_count=1, width=4), DATA.info).eval()
    words = len(model.weights.word_weight)
    # Counting words and weighing them is no product of matrices; the layers on top are.
    assert forward_flops(model, model.tokenise(CLIPS)) == dense(B, words, 4, 1)


def test_rows_that_are_looked_up_and_pooled_are_free():
    ids = torch.randint(0, 100, (B, 7))
    for mode in ("mean", "sum", "max"):
        model = nn.Sequential(nn.EmbeddingBag(100, 8, mode=mode), nn.Linear(8, 1))
        assert forward_flops(model, ids) == dense(B, 8, 1)
