"""LF-DNN, which the peer has without a difference but the order of the fused vectors."""

from __future__ import annotations

from MMSA.models import singleTask
from pairing import Pair, absolute_errors, clips, in_order, info
from vectors_peer import DROPOUTS, FUSED, SIZES, arguments, head, score, sub_networks

from baselines.sentiment.lf_dnn import LFDNN, LFDNNConfig


def pair() -> Pair:
    """The pair at small sizes."""
    batch = clips()
    config = LFDNNConfig(**SIZES, **DROPOUTS, fusion_dropout=0, head_width=5)
    peer = singleTask.LF_DNN(arguments(post_fusion_dim=5))
    port, told = LFDNN(config, info(batch)), score(peer, batch)
    return Pair(
        port,
        peer,
        {**sub_networks(), **head()},
        batch,
        told,
        absolute_errors(port, batch, told),
        layouts={"head.0.weight": in_order(FUSED, ("text", "vision", "audio"))},
    )
