"""Weights of the sub-networks that LF-DNN, TFN and LMF of the peer share."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from pairing import WIDTHS
from torch import Tensor, nn

from harness.types import Batch

SIZES = {"text_hidden": 8, "text_width": 4, "vision_width": 6, "audio_width": 3}
DROPOUTS = {"dropout": 0.0, "text_dropout": 0.0}
FUSED = {"audio": 3, "vision": 6, "text": 4}
"""Widths of the modality vectors, in the peer's order."""


def arguments(**more: int) -> SimpleNamespace:
    """What the peer reads of its configuration."""
    return SimpleNamespace(
        feature_dims=[WIDTHS[view] for view in ("text", "audio", "vision")],
        hidden_dims=[SIZES["text_hidden"], SIZES["audio_width"], SIZES["vision_width"]],
        text_out=SIZES["text_width"],
        dropouts=[0.0] * 4,
        train_mode="regression",
        **more,
    )


def score(peer: nn.Module, batch: Batch) -> Callable[[], Tensor]:
    """The peer's scores; it is given vision and audio as means over time."""
    text, vision, audio = (getattr(batch, view).values for view in ("text", "vision", "audio"))
    return lambda: peer(text, audio.mean(1, keepdim=True), vision.mean(1, keepdim=True))["M"].squeeze(1)


def sub_networks() -> dict[str, str]:
    """The names of their weights in a port, to those in the peer."""
    names = {}
    for kind in ("weight", "bias"):
        for of in ("ih", "hh"):
            names[f"text_vector.state.layers.0.{kind}_{of}_l0"] = f"text_subnet.rnn.{kind}_{of}_l0"
        names[f"text_vector.linear.{kind}"] = f"text_subnet.linear_1.{kind}"
    for ours, theirs in (("vision_vector", "video_subnet"), ("audio_vector", "audio_subnet")):
        for of in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            names[f"{ours}.norm.{of}"] = f"{theirs}.norm.{of}"
        for at in range(3):
            for kind in ("weight", "bias"):
                names[f"{ours}.layers.{at}.{kind}"] = f"{theirs}.linear_{at + 1}.{kind}"
    return names


def head() -> dict[str, str]:
    """The names of the weights of a head of three layers."""
    return {
        f"head.{3 * at}.{kind}": f"post_fusion_layer_{at + 1}.{kind}"
        for at in range(3)
        for kind in ("weight", "bias")
    }
