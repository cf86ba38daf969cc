"""MFM, with the draws of the peer's prior and the head of its MFN that nothing reads."""

from __future__ import annotations

from MMSA.models.singleTask.MFM import MFM as PeerMFM  # noqa: N811 - an acronym, no constant
from pairing import Pair, clips, info

from baselines.sentiment.mfm import MFM, MFMConfig
from harness.losses.mmd_prior import MMDPrior, MMDPriorConfig
from harness.losses.sequence_reconstruction import (
    SequenceReconstruction,
    SequenceReconstructionConfig,
)
from pairs.mfn import ATTENTION, DROPOUTS, HEAD, LETTERS, SIZES, fusion, layers, peer_arguments

CODES = {"joint": 5, "text": 6, "audio": 3, "vision": 4}
FACTORS = {"joint": 6, "text": 3, "audio": 5, "vision": 4}
WEIGHTS = {"text": 0.5, "audio": 0.25, "vision": 2.0}
OF = {"joint": "y", **LETTERS}


def pair() -> Pair:
    """The pair at small sizes."""
    batch = clips()
    port = MFM(config(), info(batch))
    arguments = peer_arguments()
    for of, letter in OF.items():
        setattr(arguments, f"z{letter}_size", CODES[of])
        setattr(arguments, f"f{letter}_size", FACTORS[of])
        setattr(arguments, f"z{letter}_to_f{letter}_dropout", 0.0)
        setattr(arguments, f"lda_x{letter}", WEIGHTS.get(of))
    arguments.fy_to_y_dropout = 0.0
    peer = PeerMFM(arguments)

    def told():
        return peer(batch.text.values, batch.audio.values, batch.vision.values)

    generated = SequenceReconstruction(SequenceReconstructionConfig(**WEIGHTS), info(batch))
    prior = MMDPrior(MMDPriorConfig(prior="peer", codes="peer"), info(batch))
    losses = {
        "sequence_reconstruction": (lambda: generated(port(batch), batch, None), lambda: told()[1]),
        "mmd_prior": (lambda: prior(port(batch), batch, None), lambda: told()[2]),
    }
    return Pair(port, peer, names(), batch, lambda: told()[0].squeeze(1), losses)


def config() -> MFMConfig:
    """Small sizes, without dropout."""
    widths = {f"{of}_code": width for of, width in CODES.items()}
    widths |= {f"{of}_factor": width for of, width in FACTORS.items()}
    dropouts = dict.fromkeys((*(f"{of}_dropout" for of in OF), "score_dropout"), 0.0)
    switches = {"gates": "peer", "idle_head": "peer"}
    return MFMConfig(**switches, **SIZES, **DROPOUTS, **ATTENTION, **HEAD, **widths, **dropouts)


def names() -> dict[str, str]:
    """The name of each weight of the port to that of the peer."""
    found = {
        **fusion("fusion.", "mfn_encoder."),
        **layers("idle", "mfn_encoder.out"),
        **layers("joint_factor", "zy_to_fy"),
        **layers("score", "fy_to_y"),
        **both("joint", "last_to_zy_fc1"),
    }
    for view, letter in LETTERS.items():
        found |= layers(f"factors.{view}", f"z{letter}_to_f{letter}")
        found |= both(f"codes.{view}.code", f"encoder_{letter}.fc1")
        found |= both(f"generators.{view}.features", f"decoder_{letter}.fc1")
        for of in ("ih", "hh"):
            found |= both(f"codes.{view}.lstm.cell", f"encoder_{letter}.lstm", f"_{of}")
            found |= both(f"generators.{view}.cell", f"decoder_{letter}.lstm", f"_{of}")
    return found


def both(ours: str, theirs: str, end: str = "") -> dict[str, str]:
    """The weight and the bias of a layer."""
    return {f"{ours}.{kind}{end}": f"{theirs}.{kind}{end}" for kind in ("weight", "bias")}
