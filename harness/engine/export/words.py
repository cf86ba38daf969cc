"""How words become ids for a model that has left: the tokenizer's file, and what is done before it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from harness.contracts import KeepsTokenizer, Unsupported
from harness.engine.export.sample import with_capitals
from harness.engine.trained import TrainedModel, clips_of
from harness.nn.tensors import TensorModel
from harness.nn.text.transcript import lower_if_capitals
from harness.types import Padded

TOKENIZER_FILE, CONFIG_FILE = "tokenizer.json", "config.json"


def write_words(trained: TrainedModel, told: TensorModel, texts: Sequence[str], folder: Path) -> None:
    """Writes the tokenizer, and names and rules that go with it; nothing for a model without words.

    Args:
        trained: has tokenised before, so that its tokenizer knows how it cuts and pads.
        told: the same model, from tensors.
        texts: that the rules are held to, in their own case and in capitals.
        folder: gets `TOKENIZER_FILE` and `CONFIG_FILE`.

    Raises:
        Unsupported: the library tokenizers alone does not give the model's ids.
    """
    if "tokens" not in told.sequences:
        return
    model = trained.model
    stored = model.tokenizer_json() if isinstance(model, KeepsTokenizer) else None
    if stored is None:
        raise Unsupported("reads words by a tokenizer that the library tokenizers cannot store")
    config = {
        "model": trained.spec.model.name,
        "inputs": list(told.input_names),
        "outputs": list(told.output_names),
        "max_tokens": (json.loads(stored)["truncation"] or {}).get("max_length"),
        "lowercase_capitals": _lowers_capitals(trained, stored, texts),
    }
    (folder / TOKENIZER_FILE).write_text(stored, encoding="utf-8")
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def _lowers_capitals(trained: TrainedModel, stored: str, texts: Sequence[str]) -> bool:
    """Whether texts without a lower-case letter are lower-cased first: found out, for it has to fit."""
    given = with_capitals(texts)
    tokens = trained.seen(clips_of(given)).tokens
    tokenizer = Tokenizer.from_str(stored)
    for lowers in (False, True):
        if _equal(_read(tokenizer, lower_if_capitals(given) if lowers else given), tokens):
            return lowers
    raise Unsupported("turns words into ids in a way that its tokenizer alone does not")


def _read(tokenizer: Tokenizer, texts: Sequence[str]) -> Padded:
    found = tokenizer.encode_batch(list(texts))
    lengths = {len(one.ids) for one in found}
    if len(lengths) > 1:
        raise Unsupported("has a tokenizer that does not say how it pads")
    ids = torch.tensor([one.ids for one in found])
    return Padded(ids, torch.tensor([one.attention_mask for one in found]).bool())


def _equal(ours: Padded, theirs: Padded | None) -> bool:
    return theirs is not None and ours.values.equal(theirs.values) and ours.mask.equal(theirs.mask)
