"""A small BERT in a folder, and a batch of its token ids, for ports that read text through one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from pairing import WIDTHS, clips
from torch import Tensor, nn
from transformers import BertConfig, BertModel, BertTokenizer
from transformers.utils import logging

from harness.types import Batch, Padded

WIDTH = 16
FEATURE_DIMS = (WIDTH, WIDTHS["audio"], WIDTHS["vision"])
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{n}" for n in range(35)))


@contextmanager
def small_bert() -> Iterator[str]:
    """A folder with a tokenizer and two layers of a BERT, without dropout."""
    logging.disable_progress_bar()
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 24, "max_position_embeddings": 32, "vocab_size": len(WORDS)}
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    with TemporaryDirectory() as folder:
        BertModel(BertConfig(**sizes, **dropout)).save_pretrained(folder)
        (Path(folder) / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
        BertTokenizer(str(Path(folder) / "vocab.txt"), model_max_length=32).save_pretrained(folder)
        yield folder


def batch_of_ids() -> Batch:
    """The clips of other ports, with as many token ids as they have steps."""
    found = clips()
    draw = torch.Generator().manual_seed(1)
    shape = found.text.mask.shape
    ids = torch.randint(5, len(WORDS), shape, generator=draw)
    return replace(found, token_ids=Padded(ids, torch.ones_like(ids, dtype=torch.bool)))


def as_the_peer_reads(ids: Tensor) -> Tensor:
    """(B, 3, L) ids, which of them exist, and the segments they are of."""
    return torch.stack((ids, torch.ones_like(ids), torch.zeros_like(ids)), dim=1)


def lengths(batch: Batch) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Audio and vision, each with the number of steps of every clip."""
    audio, vision = batch.audio, batch.vision
    return (audio.values, audio.lengths), (vision.values, vision.lengths)


def renamed(port: nn.Module, modules: dict[str, str]) -> dict[str, str]:
    """The name of every weight of the port, to that in the peer, from the names of modules."""
    found = {}
    for weight in port.state_dict():
        ours = next(module for module in modules if weight.startswith(f"{module}."))
        found[weight] = modules[ours] + weight.removeprefix(ours)
    return found
