"""TFN with the peer's bounds of the score."""

from __future__ import annotations

from MMSA.models import singleTask
from pairing import Pair, absolute_errors, clips, info
from torch import Tensor
from vectors_peer import DROPOUTS, FUSED, SIZES, arguments, head, score, sub_networks

from baselines.sentiment.tfn import TFN, TFNConfig


def pair() -> Pair:
    """The pair at small sizes."""
    batch = clips()
    config = TFNConfig(**SIZES, **DROPOUTS, fusion_dropout=0, head_width=5, output="peer")
    peer = singleTask.TFN(arguments(post_fusion_dim=5))
    bounds = {"score_range": "output_range", "score_shift": "output_shift"}
    port, told = TFN(config, info(batch)), score(peer, batch)
    return Pair(
        port,
        peer,
        {**sub_networks(), **head(), **bounds},
        batch,
        told,
        absolute_errors(port, batch, told),
        layouts={"head.0.weight": ones_last},
    )


def ones_last(weight: Tensor) -> Tensor:
    """From [1; audio] x [1; vision] x [1; text] to [text; 1] x [vision; 1] x [audio; 1]."""
    cube = weight.reshape(len(weight), *(width + 1 for width in FUSED.values()))
    return cube.roll((-1, -1, -1), (1, 2, 3)).permute(0, 3, 2, 1).reshape(weight.shape)
