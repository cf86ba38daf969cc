"""Pretrained encoders as transformers saves them, a few numbers large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import BertProcessing
from tokenizers.trainers import BpeTrainer
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedTokenizerFast

SPECIAL = {
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
SIZES = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
REST = {"intermediate_size": 32, "max_position_embeddings": 40, "pad_token_id": 1}


def fitted_tokenizer(**changes: Any) -> Any:
    """A BPE tokenizer that was trained on a few sentences."""
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))  # noqa: S106 - not a secret
    tokenizer.pre_tokenizer = Whitespace()
    trainer = BpeTrainer(
        vocab_size=SIZES["vocab_size"], special_tokens=list(SPECIAL.values()), show_progress=False
    )
    tokenizer.train_from_iterator(["it was good and superb", "plain, fair and poor", "awful"], trainer)
    tokenizer.post_processor = BertProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **{**SPECIAL, **changes})


def fresh_model(architecture: str, **changes: Any) -> Any:
    """A model of two layers."""
    torch.manual_seed(0)
    config = CONFIG_MAPPING[architecture]()
    for name, value in {**SIZES, **REST, **changes}.items():
        setattr(config, name, value)
    if hasattr(config, "layer_types"):
        config.layer_types = config.layer_types[: SIZES["num_hidden_layers"]]
    return AutoModel.from_config(config).eval()


def save_checkpoint(folder: Path, architecture: str, **changes: Any) -> Path:
    """Model and tokenizer of that architecture in `folder`."""
    fresh_model(architecture, **changes).save_pretrained(folder)
    fitted_tokenizer().save_pretrained(folder)
    return folder
