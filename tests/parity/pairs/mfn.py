"""MFN with gates that read the memory, as the peer has them."""

from __future__ import annotations

from types import SimpleNamespace

from MMSA.models.singleTask.MFN import MFN as PeerMFN  # noqa: N811 - an acronym, no constant
from pairing import WIDTHS, Pair, clips, info

from baselines.sentiment.mfn import MFN, MFNConfig

LETTERS = {"text": "l", "audio": "a", "vision": "v"}
HIDDEN = {"text": 6, "audio": 3, "vision": 4}
SIZES = {
    "text_width": 6,
    "audio_width": 3,
    "vision_width": 4,
    "memory": 5,
    "proposal_width": 7,
    "retain_width": 8,
    "update_width": 9,
}
DROPOUTS = dict.fromkeys(("proposal_dropout", "retain_dropout", "update_dropout"), 0.0)
HEAD = {"head_width": 11, "head_dropout": 0.0}
ATTENTION = {"attention_width": 10, "attention_dropout": 0.0}


def pair() -> Pair:
    """The pair at small sizes."""
    batch = clips()
    port = MFN(MFNConfig(gates="peer", **SIZES, **DROPOUTS, **ATTENTION, **HEAD), info(batch))
    peer = PeerMFN(peer_arguments())

    def score():
        return peer(batch.text.values, batch.audio.values, batch.vision.values)["M"].squeeze(1)

    return Pair(port, peer, {**fusion("fusion.", ""), **layers("head", "out")}, batch, score)


def peer_arguments() -> SimpleNamespace:
    """What the peer reads of its configuration."""
    return SimpleNamespace(
        feature_dims=[WIDTHS[view] for view in HIDDEN],
        hidden_dims=list(HIDDEN.values()),
        memsize=SIZES["memory"],
        windowsize=2,
        num_classes=1,
        train_mode="regression",
        NN1Config=inner(ATTENTION["attention_width"]),
        NN2Config=inner(SIZES["proposal_width"]),
        gamma1Config=inner(SIZES["retain_width"]),
        gamma2Config=inner(SIZES["update_width"]),
        outConfig=inner(HEAD["head_width"]),
        device="cpu",
    )


def inner(width: int) -> dict[str, float]:
    """A hidden layer of the peer's."""
    return {"shapes": width, "drop": 0.0}


def fusion(ours: str, theirs: str) -> dict[str, str]:
    """Weights of the memory fusion: the name in the port to that in the peer."""
    return {
        **lstms(ours, theirs),
        **layers(f"{ours}attention", f"{theirs}att1"),
        **memory(ours, theirs),
    }


def lstms(ours: str, theirs: str) -> dict[str, str]:
    """Weights of the LSTMs."""
    return {
        f"{ours}lstms.{view}.cell.{kind}_{of}": f"{theirs}lstm_{LETTERS[view]}.{kind}_{of}"
        for view in HIDDEN
        for kind in ("weight", "bias")
        for of in ("ih", "hh")
    }


def memory(ours: str, theirs: str) -> dict[str, str]:
    """Weights of the memory."""
    return {
        **layers(f"{ours}memory.proposal", f"{theirs}att2"),
        **layers(f"{ours}memory.retain", f"{theirs}gamma1"),
        **layers(f"{ours}memory.update", f"{theirs}gamma2"),
    }


def layers(ours: str, theirs: str) -> dict[str, str]:
    """Weights of a network of two layers."""
    return {
        f"{ours}.{at}.{kind}": f"{theirs}_fc{number}.{kind}"
        for at, number in ((0, 1), (3, 2))
        for kind in ("weight", "bias")
    }
