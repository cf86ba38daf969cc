"""TFR-Net over a small BERT, with steps of every modality missing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from unittest.mock import patch

import torch
from easydict import EasyDict
from MMSA.models.missingTask.TFR_NET import model as peer_model
from pairing import Pair, info
from small_bert import FEATURE_DIMS, as_the_peer_reads, batch_of_ids, renamed, small_bert
from torch import Tensor, nn

from baselines.sentiment.tfr_net import TFRNet, TFRNetConfig
from harness.losses.generation import Generation, GenerationConfig
from harness.types import Batch, Padded
from pairs.mult import transformers, without_marks

SIZES = {"width": 8, "heads": 2, "layers": 2, "memory_layers": 3, "gate_layers": 2}
GATES = {"text": 6, "audio": 4, "vision": 5}
KERNELS = {"text": 1, "audio": 5, "vision": 3}
DROPOUTS = ("text", "attention", "audio_attention", "relu", "embedding", "residual", "gate")
TEMPORAL_HEADS, HEAD = 4, 9
# Three in a row: the middle one is nothing but zeros after a convolution of three.
MISSING = {"text": [1, 4], "audio": [2, 3, 6], "vision": [3, 4, 5]}


def pair() -> Pair:
    """Every switch at ``peer``; the first clip has nothing missing."""
    intact = batch_of_ids()
    with small_bert() as folder:
        config = TFRNetConfig(
            text_source="token_ids",
            pretrained=folder,
            max_tokens=intact.token_ids.mask.shape[1],
            temporal_heads=TEMPORAL_HEADS,
            head_width=HEAD,
            **SIZES,
            **{f"{view}_gate": width for view, width in GATES.items()},
            **{f"{view}_kernel": kernel for view, kernel in KERNELS.items()},
            **{f"{name}_dropout": 0.0 for name in DROPOUTS},
            **dict.fromkeys(("positions", "scaling", "residual", "future", "projection"), "peer"),
            **dict.fromkeys(("generation", "targets"), "peer"),
        )
        port, peer = TFRNet(config, info(intact)), peer_over(folder)
    batch = replace(with_missing(intact), intact=intact)

    def said(output: int) -> Tensor:
        return peer(*as_triples(batch))[output].squeeze()

    loss = Generation(GenerationConfig(similarity="peer"), info(intact))
    losses = {"generation": (lambda: loss(port(batch), batch, None), lambda: said(1))}
    return Pair(port, peer, names(port), batch, lambda: said(0), losses)


def peer_over(folder: str) -> nn.Module:
    """The peer's module; it does not pass its option `pretrained` on."""
    arguments = EasyDict(
        device="cpu",
        use_bert_finetune=True,
        alignmentModule="crossmodal_attn",
        generatorModule="linear",
        fusionModule="c_gate",
        recloss_type="combine",
        without_generator=False,
        feature_dims=FEATURE_DIMS,
        seq_lens=(8, 8, 8),
        dst_feature_dim_nheads=(SIZES["width"], SIZES["heads"]),
        nlevels=SIZES["layers"],
        attn_mask=True,
        num_temporal_head=TEMPORAL_HEADS,
        fusion_gru_layers=SIZES["gate_layers"],
        cls_hidden_dim=HEAD,
        weight_gen_loss=[5, 2, 20],
        weight_sim_loss=5,
        **{f"conv1d_kernel_size_{view[0].replace('t', 'l')}": size for view, size in KERNELS.items()},
        **{f"fusion_{view[0]}_hid": width for view, width in GATES.items()},
        **dict.fromkeys(("attn_dropout", "attn_dropout_a", "attn_dropout_v"), 0.0),
        **dict.fromkeys(("relu_dropout", "embed_dropout", "res_dropout"), 0.0),
        **dict.fromkeys(("text_dropout", "fusion_drop", "cls_dropout"), 0.0),
    )
    over_folder = partial(peer_model.BertTextEncoder, pretrained=folder)
    with patch.object(peer_model, "BertTextEncoder", over_folder):
        peer = peer_model.TFR_NET(arguments)
    peer.text_model.model.pooler = None
    without_marks(peer)
    return peer


def with_missing(intact: Batch) -> Batch:
    """Zeros in place of some steps; of ids, an id that stands for an unknown word."""

    def taken(sequence: Padded, steps: list[int], value: int) -> Padded:
        values = sequence.values.clone()
        values[1:, steps] = value
        return Padded(values, sequence.mask)

    return replace(
        intact,
        token_ids=taken(intact.token_ids, MISSING["text"], 1),
        audio=taken(intact.audio, MISSING["audio"], 0),
        vision=taken(intact.vision, MISSING["vision"], 0),
    )


def as_triples(batch: Batch) -> tuple[tuple[Tensor, ...], ...]:
    """Each modality as the peer reads it: whole, with steps missing, and which steps are not."""
    kept = {view: torch.ones(batch.text.mask.shape) for view in MISSING}
    for view, steps in MISSING.items():
        kept[view][1:, steps] = 0
    text = [as_the_peer_reads(ids) for ids in (batch.intact.token_ids.values, batch.token_ids.values)]
    others = [
        (
            getattr(batch.intact, view).values,
            getattr(batch, view).values,
            torch.ones_like(kept[view]),
            kept[view],
        )
        for view in ("audio", "vision")
    ]
    return ((*text, kept["text"]), *others)


def names(port: TFRNet) -> dict[str, str | tuple[str, ...]]:
    """Ours to theirs."""
    aligned, fused = "align_subnet.Model", "fusion_subnet.Model"
    across = [f"{aligned}.trans_{a}_with_{b}" for a, b in ("la", "lv", "al", "av", "vl", "va")]
    within = [f"{aligned}.trans_{view}_mem" for view in "lav"]
    stacked = {
        **transformers("across", across, SIZES["layers"]),
        **transformers("within", within, SIZES["memory_layers"]),
    }
    modules = {"text.encoder": "text_model.model", "norm": f"{fused}.classifier.linear_trans_norm"}
    modules |= {"head.0": f"{fused}.classifier.linear_trans_hidden"}
    modules |= {"head.3": f"{fused}.classifier.linear_trans_final"}
    for row, (view, letter) in enumerate(zip(GATES, "lav", strict=True)):
        stacked |= transformers(
            f"generators.{row}.transformer",
            [f"{aligned}.trans_{letter}_final"],
            SIZES["memory_layers"],
        )
        modules |= {
            f"convolutions.{row}": f"{aligned}.proj_{letter}",
            f"generators.{row}.linear": f"generator_{view[0]}.Model.linear",
            f"gates.{row}.gru": f"{fused}.{view}_encoder.gru.gru",
            f"gates.{row}.gate": f"{fused}.{view}_encoder.cnn",
            f"gates.{row}.linear": f"{fused}.{view}_encoder.fc",
        }
    # `renamed` asks for every module; what is stacked is named above.
    modules |= dict.fromkeys((name.rpartition(".")[0] for name in stacked), "")
    return renamed(port, modules) | stacked
