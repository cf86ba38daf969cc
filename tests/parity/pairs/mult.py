"""MulT on sequences of three different lengths."""

from __future__ import annotations

from types import SimpleNamespace

from MMSA.models.singleTask.MULT import MULT
from pairing import WIDTHS, Pair, clips, info
from torch import nn

from baselines.sentiment.mult import MulT, MulTConfig

SIZES = {"layers": 2, "memory_layers": 3, "width": 8, "heads": 2}
KERNELS = {"text": 1, "audio": 5, "vision": 3}
DROPOUTS = ("text", "attention", "audio_attention", "embedding", "output")
ACROSS = ("l_with_a", "l_with_v", "a_with_l", "a_with_v", "v_with_l", "v_with_a")
WITHIN = ("l_mem", "a_mem", "v_mem")
STEPS = {"text": 8, "audio": 11, "vision": 6}


def pair(steps: dict[str, int] | None = STEPS) -> Pair:
    """Every switch at ``peer``."""
    batch = clips(steps)
    peer = peer_model()
    config = MulTConfig(
        **SIZES,
        **{f"{view}_kernel": kernel for view, kernel in KERNELS.items()},
        **{f"{name}_dropout": 0.0 for name in DROPOUTS},
        **dict.fromkeys(
            ("positions", "scaling", "residual", "future", "projection", "convolution"), "peer"
        ),
    )
    return Pair(
        port=MulT(config, info(batch)),
        peer=peer,
        names=names(),
        batch=batch,
        peer_score=lambda: peer(batch.text.values, batch.audio.values, batch.vision.values)["M"][:, 0],
    )


def peer_model() -> nn.Module:
    peer = MULT(
        SimpleNamespace(
            use_bert=False,
            feature_dims=(WIDTHS["text"], WIDTHS["audio"], WIDTHS["vision"]),
            dst_feature_dim_nheads=(SIZES["width"], SIZES["heads"]),
            nlevels=SIZES["layers"],
            conv1d_kernel_size_l=KERNELS["text"],
            conv1d_kernel_size_a=KERNELS["audio"],
            conv1d_kernel_size_v=KERNELS["vision"],
            attn_mask=True,
            num_classes=1,
            train_mode="regression",
            **dict.fromkeys(("attn_dropout", "attn_dropout_a", "attn_dropout_v"), 0.0),
            **dict.fromkeys(("relu_dropout", "embed_dropout", "res_dropout"), 0.0),
            **dict.fromkeys(("output_dropout", "text_dropout"), 0.0),
        )
    )
    without_marks(peer)
    return peer


def without_marks(peer: nn.Module) -> None:
    """Takes buffers out of the state of fairseq's encoders that say nothing: a version and a dtype."""
    for module in peer.modules():
        for name in ("version", "_float_tensor"):
            if name in module._buffers:
                module.register_buffer(name, getattr(module, name), persistent=False)


def names() -> dict[str, str | tuple[str, ...]]:
    heads = {"widen": "proj1", "narrow": "proj2", "score": "out_layer"}
    return {
        **{f"convolutions.{row}.weight": f"proj_{view}.weight" for row, view in enumerate("lav")},
        **transformers("across", [f"trans_{name}" for name in ACROSS], SIZES["layers"]),
        **transformers("within", [f"trans_{name}" for name in WITHIN], SIZES["memory_layers"]),
        **{
            f"{ours}.{kind}": f"{theirs}.{kind}"
            for ours, theirs in heads.items()
            for kind in ("weight", "bias")
        },
    }


def transformers(ours: str, theirs: list[str], layers: int) -> dict[str, tuple[str, ...]]:
    """Names in transformers side by side, to those of the peer's one after the other."""
    found = {}
    for kind in ("weight", "bias"):
        parts = {
            "norms.0": f"layer_norms.0.{kind}",
            "norms.1": f"layer_norms.1.{kind}",
            "inner": f"self_attn.in_proj_{kind}",
            "outer": f"self_attn.out_proj.{kind}",
            "widen": f"fc1.{kind}",
            "narrow": f"fc2.{kind}",
        }
        for layer in range(layers):
            for part, name in parts.items():
                found[f"{ours}.blocks.{layer}.{part}.{kind}"] = tuple(
                    f"{each}.layers.{layer}.{name}" for each in theirs
                )
        found[f"{ours}.norm.{kind}"] = tuple(f"{each}.layer_norm.{kind}" for each in theirs)
    return found
