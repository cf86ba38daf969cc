"""Self-MM with its unimodal labels, over a small BERT."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from MMSA.models.multiTask.SELF_MM import SELF_MM as PeerSelfMM  # noqa: N811 - an acronym, no constant
from MMSA.trains.multiTask.SELF_MM import SELF_MM as PeerTrainer  # noqa: N811
from pairing import Pair, Value, absolute_errors, info
from small_bert import (
    FEATURE_DIMS,
    WIDTH,
    as_the_peer_reads,
    batch_of_ids,
    lengths,
    renamed,
    small_bert,
)
from torch import Tensor

from baselines.sentiment.self_mm import SelfMM, SelfMMConfig
from harness.losses.unimodal_labels import UnimodalLabels, UnimodalLabelsConfig
from harness.types import Batch

SIZES = {
    "vision_states": 6,
    "audio_states": 4,
    "vision_width": 5,
    "audio_width": 3,
    "fusion_hidden": 7,
    "text_hidden": 6,
    "vision_hidden": 5,
    "audio_hidden": 4,
}
DROPOUTS = {f"{name}_dropout": 0.0 for name in ("fusion", "text", "vision", "audio")}
THEIRS = {"text": "text", "vision": "video", "audio": "audio", "fusion": "fusion"}
LETTERS = {"text": "T", "vision": "V", "audio": "A"}


def arguments(folder: str) -> SimpleNamespace:
    """What the peer reads of its configuration."""
    sizes = {
        f"post_{theirs}_{of}": SIZES[f"{ours}_hidden"] if of == "dim" else 0.0
        for ours, theirs in THEIRS.items()
        for of in ("dim", "dropout")
    }
    for letter, ours, theirs in (("a", "audio", "audio"), ("v", "vision", "video")):
        sizes |= {f"{letter}_lstm_layers": 1, f"{letter}_lstm_dropout": 0.0}
        sizes |= {f"{letter}_lstm_hidden_size": SIZES[f"{ours}_states"]}
        sizes |= {f"{theirs}_out": SIZES[f"{ours}_width"]}
    return SimpleNamespace(
        need_data_aligned=False,
        use_finetune=True,
        transformers="bert",
        pretrained=folder,
        feature_dims=FEATURE_DIMS,
        text_out=WIDTH,
        **sizes,
    )


def names(port: SelfMM) -> dict[str, str]:
    """Ours to theirs."""
    modules = {"text.encoder": "text_model.model"}
    for ours, theirs in (("vision", "video"), ("audio", "audio")):
        modules[f"{ours}.states.forwards.layers.0"] = f"{theirs}_model.rnn"
        modules[f"{ours}.linear"] = f"{theirs}_model.linear_1"
    for ours, theirs in THEIRS.items():
        for at, layer in enumerate(("representation", "between", "score"), start=1):
            modules[f"heads.{ours}.{layer}"] = f"post_{theirs}_layer_{at}"
    return renamed(port, modules)


def labels(port: SelfMM, peer: PeerSelfMM, read: Batch) -> tuple[Value, Value]:
    """The errors of single modalities, whose labels have moved by now."""
    with torch.no_grad():
        said = port.train()(read)
    loss = UnimodalLabels(UnimodalLabelsConfig(distance="peer"), info(read))
    loss.adapt(said, None, read)
    loss.made += torch.randn(loss.made.shape)
    # Its constructor wants the whole configuration for memories that are of no use here.
    trainer = PeerTrainer.__new__(PeerTrainer)
    trainer.label_map = dict(zip(LETTERS, loss.made.clone(), strict=True)) | {"fusion": read.target}
    everyone = torch.arange(len(read))

    def expected() -> Tensor:
        found = peer(as_the_peer_reads(read.token_ids.values), *lengths(read))
        errors = [
            trainer.weighted_loss(found[letter], trainer.label_map[name], everyone, name)
            for name, letter in LETTERS.items()
        ]
        return torch.stack(errors).sum()

    return lambda: loss(port(read), read, None), expected


def pair() -> Pair:
    """As the peer's configuration has it."""
    read = batch_of_ids()
    with small_bert() as folder:
        text = {"text_source": "token_ids", "pretrained": folder, "max_tokens": 16}
        config = SelfMMConfig(**text, **SIZES, **DROPOUTS, encoders="peer", heads="peer")
        port, peer = SelfMM(config, info(read)), PeerSelfMM(arguments(folder))
    # Nothing of the peer reads it.
    peer.text_model.model.pooler = None

    def told() -> Tensor:
        return peer(as_the_peer_reads(read.token_ids.values), *lengths(read))["M"].squeeze(1)

    losses = absolute_errors(port, read, told) | {"unimodal_labels": labels(port, peer, read)}
    return Pair(port, peer, names(port), read, told, losses)
