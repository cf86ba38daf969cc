"""MISA with the central moment discrepancy, over a small BERT of the width that the peer asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import torch
from MMSA.models.singleTask.MISA import MISA as PeerMISA  # noqa: N811 - an acronym, no constant
from MMSA.trains.singleTask.MISA import CMD as PeerCMD  # noqa: N811
from MMSA.trains.singleTask.MISA import MISA as PeerTrainer  # noqa: N811
from MMSA.trains.singleTask.MISA import MSE, DiffLoss
from pairing import STEPS, WIDTHS, Pair, Value, clips, info
from torch import nn
from transformers import BertConfig, BertModel, BertTokenizer
from transformers.utils import logging

from baselines.sentiment.misa import MISA, MISAConfig
from harness.losses.cmd import CMD, CMDConfig
from harness.losses.code_reconstruction import CodeReconstruction, CodeReconstructionConfig
from harness.losses.difference import Difference, DifferenceConfig
from harness.types import Batch, Padded

TEXT_STEPS = STEPS - 2
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{n}" for n in range(35)))
SIZES = {"width": 6, "dropout": 0.0, "fusion_dropout": 0.0}
MODALITIES = {"text": "t", "vision": "v", "audio": "a"}


@contextmanager
def bert() -> Iterator[str]:
    """A folder with a tokenizer and one layer of a BERT of 768 numbers a token, without dropout."""
    logging.disable_progress_bar()
    with TemporaryDirectory() as folder:
        sizes = {"num_hidden_layers": 1, "intermediate_size": 16, "max_position_embeddings": 32}
        dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        BertModel(BertConfig(vocab_size=len(WORDS), **sizes, **dropout)).save_pretrained(folder)
        (Path(folder) / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
        BertTokenizer(str(Path(folder) / "vocab.txt"), model_max_length=32).save_pretrained(folder)
        yield folder


def batch() -> Batch:
    """Features, and ids of a text with fewer steps, which the peer cuts vision and audio to."""
    found = clips()
    draw = torch.Generator().manual_seed(1)
    ids = torch.randint(5, len(WORDS), (len(found), TEXT_STEPS), generator=draw)
    return replace(found, token_ids=Padded(ids, torch.ones_like(ids, dtype=torch.bool)))


def both(read: Batch, *, adversarial: bool) -> tuple[MISA, PeerMISA]:
    """The port and the peer's model, without dropout and without the weights that nothing reads."""
    similarity = "adversarial" if adversarial else "cmd"
    with bert() as folder:
        text = {"text_source": "token_ids", "pretrained": folder, "max_tokens": 16}
        config = MISAConfig(**text, **SIZES, similarity=similarity, reversal=0.5, steps="peer")
        port = MISA(config, info(read))
        peer = PeerMISA(
            SimpleNamespace(
                feature_dims=(768, WIDTHS["audio"], WIDTHS["vision"]),
                hidden_size=SIZES["width"],
                dropout=0.0,
                rnncell="lstm",
                use_bert=True,
                use_finetune=True,
                use_cmd_sim=not adversarial,
                reverse_grad_weight=0.5,
                transformers="bert",
                pretrained=folder,
                train_mode="regression",
            )
        )
    return port, without_dropout_and_unread_weights(peer)


def without_dropout_and_unread_weights(peer: PeerMISA) -> PeerMISA:
    """No score and no loss of the peer reads these three."""
    peer.bertmodel.model.pooler = None
    peer.sp_discriminator = nn.Identity()
    peer.tlayer_norm = None
    for module in peer.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return peer


def names(port: MISA) -> dict[str, str]:
    """Ours to theirs."""
    modules = {
        "text.encoder": "bertmodel.model",
        "shared": "shared.shared_1",
        "fusion": "transformer_encoder.layers.0",
        "head.0": "fusion.fusion_layer_1",
        "head.3": "fusion.fusion_layer_3",
        "discriminator.0": "discriminator.discriminator_layer_1",
        "discriminator.3": "discriminator.discriminator_layer_2",
    }
    for name, letter in MODALITIES.items():
        modules |= {
            f"projections.{name}.0": f"project_{letter}.project_{letter}",
            f"projections.{name}.2": f"project_{letter}.project_{letter}_layer_norm",
            f"private.{name}": f"private_{letter}.private_{letter}_{3 if letter == 'a' else 1}",
            f"rebuild.{name}": f"recon_{letter}.recon_{letter}_1",
            f"recurrent.{name}.first": f"{letter}rnn1",
            f"recurrent.{name}.second": f"{letter}rnn2",
            f"recurrent.{name}.norm": f"{letter}layer_norm",
        }
    found = {}
    for weight in port.state_dict():
        ours = next(module for module in modules if weight.startswith(f"{module}."))
        found[weight] = modules[ours] + weight.removeprefix(ours)
    return found


def score(peer: PeerMISA, read: Batch) -> Value:
    """The peer's scores."""
    ids = read.token_ids.values
    text = torch.stack((ids, torch.ones_like(ids), torch.zeros_like(ids)), dim=1)
    return lambda: peer(text, read.audio.values, read.vision.values)["M"].squeeze(1)


def loss(port: MISA, read: Batch, module: nn.Module) -> Value:
    """A loss of the port."""
    return lambda: module(port(read), read, None)


def losses(port: MISA, peer: PeerMISA, read: Batch) -> dict[str, tuple[Value, Value]]:
    """Every loss that the peer's trainer adds up."""
    # Its constructor wants the whole configuration for metrics that are of no use here.
    trainer = PeerTrainer.__new__(PeerTrainer)
    trainer.args = SimpleNamespace(use_cmd_sim=True)
    trainer.model = SimpleNamespace(Model=peer)
    trainer.loss_diff, trainer.loss_recon, trainer.loss_cmd = DiffLoss(), MSE(), PeerCMD()
    said = score(peer, read)

    def after(term: Value) -> Value:
        return lambda: (said(), term())[1]

    data = info(read)
    difference = Difference(DifferenceConfig(entries="peer", norms="peer"), data)
    rebuilt = CodeReconstruction(CodeReconstructionConfig(), data)
    return {
        "cmd": (loss(port, read, CMD(CMDConfig(), data)), after(trainer.get_cmd_loss)),
        "difference": (loss(port, read, difference), after(trainer.get_diff_loss)),
        "code_reconstruction": (loss(port, read, rebuilt), after(trainer.get_recon_loss)),
    }


def pair() -> Pair:
    """As the peer's configuration has it."""
    read = batch()
    port, peer = both(read, adversarial=False)
    return Pair(port, peer, names(port), read, score(peer, read), losses(port, peer, read))
