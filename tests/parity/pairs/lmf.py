"""LMF with the peer's weighted sum of the products."""

from __future__ import annotations

from MMSA.models import singleTask
from pairing import Pair, absolute_errors, clips, info
from torch import Tensor
from vectors_peer import DROPOUTS, SIZES, arguments, score, sub_networks

from baselines.sentiment.lmf import LMF, LMFConfig

RANK = 3
FACTORS = ("text_factor", "video_factor", "audio_factor")


def pair() -> Pair:
    """The pair at small sizes."""
    batch = clips()
    config = LMFConfig(**SIZES, **DROPOUTS, rank=RANK, fusion="peer")
    peer = singleTask.LMF(arguments(rank=RANK))
    factors = {f"factors.of.{at}": name for at, name in enumerate(FACTORS)}
    port, told = LMF(config, info(batch)), score(peer, batch)
    return Pair(
        port,
        peer,
        {**sub_networks(), **factors, "weights": "fusion_weights", "bias": "fusion_bias"},
        batch,
        told,
        absolute_errors(port, batch, told),
        layouts={**dict.fromkeys(factors, one_last), "bias": Tensor.flatten},
    )


def one_last(factor: Tensor) -> Tensor:
    """From (r, [1; D], 1) to (r, [D; 1])."""
    return factor.squeeze(2).roll(-1, 1)
