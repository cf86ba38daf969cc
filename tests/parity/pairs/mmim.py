"""MMIM with both of its bounds, over a small BERT."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from MMSA.models.singleTask.MMIM import MMIM as PeerMMIM  # noqa: N811 - an acronym, no constant
from pairing import Pair, Value, info
from small_bert import FEATURE_DIMS, as_the_peer_reads, batch_of_ids, lengths, renamed, small_bert
from torch import Tensor, nn

from baselines.sentiment.mmim import MMIM, MMIMConfig
from harness.losses.cpc import CPC, CPCConfig
from harness.losses.entropy import Entropy, EntropyConfig
from harness.losses.mutual_information import MutualInformation, MutualInformationConfig
from harness.types import Batch

SIZES = {"vision_states": 6, "audio_states": 4, "vision_width": 8, "audio_width": 9, "hidden": 7}
LETTERS = {"text": "t", "vision": "v", "audio": "a"}
REMEMBERED = 8


def arguments(folder: str) -> SimpleNamespace:
    """What the peer reads of its configuration."""
    return SimpleNamespace(
        use_bert=True,
        use_finetune=True,
        transformers="bert",
        pretrained=folder,
        train_mode="regression",
        need_data_aligned=False,
        add_va=False,
        feature_dims=FEATURE_DIMS,
        n_layer=1,
        bidirectional=True,
        d_vh=SIZES["vision_states"],
        d_ah=SIZES["audio_states"],
        d_vout=SIZES["vision_width"],
        d_aout=SIZES["audio_width"],
        d_prjh=SIZES["hidden"],
        dropout_v=0.0,
        dropout_a=0.0,
        dropout_prj=0.0,
        cpc_layers=1,
        cpc_activation="Tanh",
        mmilb_mid_activation="ReLU",
        mmilb_last_activation="Tanh",
    )


def names(port: MMIM) -> dict[str, str]:
    """Ours to theirs."""
    modules = {"text.encoder": "bertmodel.model", "head": "fusion_prj.linear_3"}
    modules |= {f"fusion.{at}": f"fusion_prj.linear_{at + 1}" for at in range(2)}
    modules |= {f"predictors.{name}": f"cpc_z{letter}.net" for name, letter in LETTERS.items()}
    for ours, theirs, letter in (("vision", "visual_enc", "v"), ("audio", "acoustic_enc", "a")):
        modules |= {
            f"{ours}.states.forwards.layers.0": f"{theirs}.rnn",
            f"{ours}.states.backwards.layers.0": f"{theirs}.rnn",
            f"{ours}.linear": f"{theirs}.linear_1",
            f"given_text.{ours}.mean": f"mi_t{letter}.mlp_mu",
            f"given_text.{ours}.log_variance": f"mi_t{letter}.mlp_logvar",
            f"samples.{ours}.linear": f"mi_t{letter}.entropy_prj.0",
        }
    found = renamed(port, modules)
    return {ours: f"{name}_reverse" if "backwards" in ours else name for ours, name in found.items()}


def remembered(read: Batch) -> tuple[Entropy, dict[str, dict[str, list[Tensor]]]]:
    """The loss entropy and the peer's memory after the same clips."""
    signs = torch.tensor([1.0, -1.0]).repeat(REMEMBERED // 2)
    config = EntropyConfig(remembered=REMEMBERED, ridge=1e-12)
    loss, memory = Entropy(config, info(read)), {}
    loss.register_buffer("signs", signs)
    for name in ("vision", "audio"):
        samples = torch.rand(REMEMBERED, SIZES[f"{name}_width"] // 4) - 0.5
        loss.register_buffer(f"{name}_samples", samples)
        classes = {"pos": [samples[signs > 0]], "neg": [samples[signs < 0]]}
        memory[f"t{LETTERS[name]}"] = classes
    loss.is_adapted = True
    # The peer remembers nothing new before its trainer says so.
    return loss.eval(), memory


def pair() -> Pair:
    """As the peer's configuration has it; nothing of it trains what an entropy is estimated of."""
    read = batch_of_ids()
    with small_bert() as folder:
        text = {"text_source": "token_ids", "pretrained": folder, "max_tokens": 16}
        config = MMIMConfig(**text, **SIZES, dropout=0, encoders="peer", entropy_of="peer")
        port, peer = MMIM(config, info(read)), PeerMMIM(arguments(folder))
    peer.bertmodel.model.pooler = None
    for bound in (peer.mi_tv, peer.mi_ta):
        bound.entropy_prj.requires_grad_(False)
    entropy, memory = remembered(read)

    def said(**more: object) -> dict[str, Tensor]:
        return peer(as_the_peer_reads(read.token_ids.values), *lengths(read), **more)

    def loss(module: nn.Module) -> Value:
        return lambda: module(port(read), read, None)

    likelihood = MutualInformation(MutualInformationConfig(density="peer"), info(read))
    losses = {
        "mutual_information": (loss(likelihood), lambda: -said()["lld"]),
        "cpc": (loss(CPC(CPCConfig(negatives="peer"), info(read))), lambda: said()["nce"]),
        "entropy": (loss(entropy), lambda: -said(y=read.target, mem=memory)["H"]),
    }
    return Pair(port, peer, names(port), read, lambda: said()["M"].squeeze(1), losses)
