"""A port trains no slower than the peer's model: medians of epochs in one process, in turns."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pytest
import torch
from epochs import RACES, seconds, with_ids
from transformers import BertConfig, BertModel, BertTokenizer

from harness.data.mmsa import Mmsa, MmsaConfig
from harness.types import Batch, DataInfo, Dataset, Padded

pytestmark = pytest.mark.peer

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{n}" for n in range(95)))
UTTERANCE = {"text": 100, "vision": 100, "audio": 73}
ALIGNED = {"text": 100, "vision": 20, "audio": 5}


@pytest.fixture(scope="module")
def bert():
    """A folder with one layer of a BERT as wide as the peer asks for."""
    sizes = {"num_hidden_layers": 1, "intermediate_size": 256, "vocab_size": len(WORDS)}
    with TemporaryDirectory() as folder:
        BertModel(BertConfig(**sizes)).save_pretrained(folder)
        (Path(folder) / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
        BertTokenizer(str(Path(folder) / "vocab.txt"), model_max_length=512).save_pretrained(folder)
        yield folder


def made(widths, steps, count):
    """Features without meaning, of the sizes of a file."""
    draw = torch.Generator().manual_seed(0)
    mask = torch.ones(count, steps, dtype=torch.bool)
    views = {view: Padded(torch.randn(count, steps, width, generator=draw), mask)
             for view, width in widths.items()}  # fmt: skip
    ids = tuple(f"clip{n}" for n in range(count))
    clips = Batch(ids, ids, torch.rand(count, generator=draw) * 6 - 3, **views)
    sizes = {f"{view}_width": width for view, width in widths.items()}
    sizes |= {f"{view}_steps": steps for view in widths}
    info = DataInfo(
        task="sentiment",
        label_range=(-3.0, 3.0),
        views=frozenset({"text", "token_ids", "vision", "audio"}),
        is_aligned=True,
        **sizes,
    )
    return Dataset(clips, clips, clips, info)


def utterances(file):
    """The file given, or features of the sizes of utterance-level CMU-MOSI."""
    if file is None:
        return made(UTTERANCE, 1, 1207)
    return Mmsa(MmsaConfig(path=file, standardise="train")).load()


@pytest.mark.parametrize("steps", ["utterance", "aligned"])
def test_half_of_the_ports_or_more_train_at_least_as_fast_as_the_peer(steps, bert, pytestconfig, capsys):
    file = pytestconfig.getoption("features")
    data = utterances(file) if steps == "utterance" else made(ALIGNED, 50, 128)
    data, rounds = with_ids(data, len(WORDS)), 5 if steps == "utterance" else 3
    # Their sizes are multiples of 25, so they cannot be asked about one step.
    races = [race for race in RACES if steps == "aligned" or race.name != "tfr_net"]
    ratios = {}
    with capsys.disabled():
        print(f"\nseconds an epoch, {steps}: port, peer, ratio")
        for race in races:
            ours, theirs = seconds(race.port(data, bert), race.rival(data, bert), rounds)
            ratios[race.name] = ours / theirs
            print(f"{race.name:>10} {ours:8.3f} {theirs:8.3f} {ours / theirs:6.2f}")
        print(f"{'median':>10} {median(ratios.values()):24.2f}")
    assert median(ratios.values()) <= 1.0
