"""MISA with a discriminator behind a reversed gradient in place of moments."""

from __future__ import annotations

import torch
from pairing import Pair, info
from torch.nn.functional import cross_entropy

from harness.losses.domain_adversarial import DomainAdversarial, DomainAdversarialConfig
from harness.types import Batch
from pairs.misa import batch, both, loss, names, score


def pair() -> Pair:
    """The peer's trainer stops at its own domain loss: it reads names that it never sets."""
    read: Batch = batch()
    port, peer = both(read, adversarial=True)
    said = score(peer, read)

    def domain_loss() -> torch.Tensor:
        said()
        logits = torch.cat((peer.domain_label_t, peer.domain_label_v, peer.domain_label_a))
        return cross_entropy(logits, torch.arange(3).repeat_interleave(len(read)))

    ours = loss(port, read, DomainAdversarial(DomainAdversarialConfig(), info(read)))
    losses = {"domain_adversarial": (ours, domain_loss)}
    return Pair(port, peer, names(port), read, said, losses)
