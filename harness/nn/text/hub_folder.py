"""A student of words as a folder that transformers loads without this package.

Imported where a student leaves, because it imports transformers at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from harness.nn.text import modeling_text_score as modeling
from harness.nn.text.bpe import SPECIAL_TOKENS, ByteLevelBPE
from harness.nn.text.hub import silent
from harness.nn.text.lora import without_adapters

if TYPE_CHECKING:
    from harness.nn.heads import ScoreHead
    from harness.nn.pooling import PoolingName
    from harness.nn.text.hub_tokenizer import HubTokenizer

CODE = Path(modeling.__file__)

MODULE = CODE.stem


@dataclass(frozen=True)
class TextParts:
    """A student of words, in parts.

    Attributes:
        encoder: of transformers, without its pooler.
        query: (D,) of the pooling by attention, None for the others.
        head: what reads the score from a text's vector.
        tokenizer: of the encoder.
        pooling: from states to a vector.
        max_tokens: longer texts are cut.
        lowercase_capitals: whether texts that are all capitals are lower-cased.
    """

    encoder: nn.Module
    query: Tensor | None
    head: ScoreHead
    tokenizer: ByteLevelBPE | HubTokenizer
    pooling: PoolingName
    max_tokens: int
    lowercase_capitals: bool


def write_hub_folder(folder: Path, parts: TextParts) -> None:
    """Writes configuration, weights in float32, tokenizer and code; adapters are merged."""
    plain, levels = without_adapters(parts.encoder), parts.head.levels
    config = modeling.TextScoreConfig(
        encoder=plain.config.to_dict(),
        pooling=parts.pooling,
        levels=0 if levels is None else levels.out_features,
        max_tokens=parts.max_tokens,
        lowercase_capitals=parts.lowercase_capitals,
        dtype="float32",
        auto_map={
            "AutoConfig": f"{MODULE}.TextScoreConfig",
            "AutoModel": f"{MODULE}.TextScoreModel",
        },
    )
    # What is drawn here must not move the draws of whoever exports.
    with torch.random.fork_rng(devices=[]), silent():
        model = modeling.TextScoreModel(config)
        model.load_state_dict(_weights(parts, plain))
        model.save_pretrained(folder)
        _of_transformers(parts.tokenizer, parts.max_tokens).save_pretrained(folder)
    shutil.copyfile(CODE, folder / CODE.name)


def hub_scores(folder: Path, texts: Sequence[str]) -> list[float]:
    """What the folder says of texts, by a byte for byte twin of the code that is in it."""
    from transformers import AutoTokenizer

    with silent():
        model = modeling.TextScoreModel.from_pretrained(folder, local_files_only=True).eval()
        # The code is for the model; asked about it, transformers would ask at the terminal.
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    scores: list[float] = model.score(texts, tokenizer)
    return scores


def _weights(parts: TextParts, encoder: nn.Module) -> dict[str, Tensor]:
    found = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    found |= {"head.weight": parts.head.weight, "head.bias": parts.head.bias}
    if parts.query is not None:
        found["query"] = parts.query
    if parts.head.levels is not None:
        found |= {f"levels.{name}": value for name, value in parts.head.levels.state_dict().items()}
    return {name: value.detach().float() for name, value in found.items()}


def _of_transformers(tokenizer: ByteLevelBPE | HubTokenizer, max_tokens: int) -> Any:
    if not isinstance(tokenizer, ByteLevelBPE):
        return tokenizer.cut_at(max_tokens)
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    start, pad, end, unknown = SPECIAL_TOKENS
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tokenizer.to_json()),
        model_max_length=max_tokens,
        bos_token=start,
        pad_token=pad,
        eos_token=end,
        unk_token=unknown,
        cls_token=start,
        sep_token=end,
        model_input_names=["input_ids", "attention_mask"],
    )
