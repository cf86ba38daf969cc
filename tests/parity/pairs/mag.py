"""MAG at the embeddings of a small BERT."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from MMSA.models.singleTask.BERT_MAG import MAG_BertForSequenceClassification as PeerMAG
from MMSA.models.singleTask.BERT_MAG import MAG_BertModel as PeerBert
from pairing import Pair, absolute_errors, info
from small_bert import FEATURE_DIMS, batch_of_ids, renamed, small_bert
from torch import Tensor
from transformers import BertConfig

from baselines.sentiment.mag import MAG, MAGConfig

ARGUMENTS = SimpleNamespace(feature_dims=FEATURE_DIMS, beta_shift=0.7, dropout_prob=0.0, device="cpu")
OURS = {"shift": 0.7, "dropout": 0.0, "head_dropout": 0.0, "bias": "peer"}


def names(port: MAG) -> dict[str, str]:
    """Ours to theirs."""
    modules = {
        "text.encoder": "bert",
        "gate.vision_gate": "bert.MAG.W_hv",
        "gate.audio_gate": "bert.MAG.W_ha",
        "gate.vision": "bert.MAG.W_v",
        "gate.audio": "bert.MAG.W_a",
        "gate.norm": "bert.MAG.LayerNorm",
        "pooler": "bert.pooler.dense",
        "head": "classifier",
    }
    return renamed(port, modules)


def on_transformers_5(peer: type[PeerMAG]) -> type[PeerMAG]:
    """With what the peer, written for transformers 4, still asks of it."""
    lowest = torch.finfo(torch.float32).min
    for model in (peer, PeerBert):
        model.all_tied_weights_keys = {}
    PeerBert.get_extended_attention_mask = lambda _, mask, *__: (1 - mask[:, None, None]) * lowest
    PeerBert.get_head_mask = lambda _, mask, __: mask
    return peer


def pair() -> Pair:
    """As the peer's configuration has it, but for how far a word may be shifted."""
    read = batch_of_ids()
    ids, vision, audio = (each.values for each in (read.token_ids, read.vision, read.audio))
    with small_bert() as folder:
        config = MAGConfig(text_source="token_ids", pretrained=folder, max_tokens=16, **OURS)
        port = MAG(config, info(read))
        hub = BertConfig.from_pretrained(folder, num_labels=1)
        peer = on_transformers_5(PeerMAG)(hub, ARGUMENTS)

    def told() -> Tensor:
        mask = torch.ones_like(ids, dtype=torch.float32)
        found: Tensor = peer(ids, vision, audio, attention_mask=mask)[0].squeeze(1)
        return found

    return Pair(port, peer, names(port), read, told, absolute_errors(port, read, told))
