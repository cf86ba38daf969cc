"""Whether a discriminator can tell which modality a shared code comes from."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("text", "vision", "audio")


class DomainAdversarialConfig(LossConfig):
    """No parameters: the discriminator, and the reversal before it, belong to the model."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset({f"{modality}_domain" for modality in MODALITIES})


@LOSSES.register(
    "domain_adversarial",
    config=DomainAdversarialConfig,
    paper="Ganin and Lempitsky 2015, arXiv 1409.7495; of modalities as in Hazarika et al. 2020, "
    "arXiv 2005.03545, section 3.5.2",
    tiny={},
    space={"weight": FloatSpace(low=0.03, high=3, log=True)},
)
class DomainAdversarial(nn.Module):
    """The cross-entropy of a discriminator that names the modality of a code, mean over all codes.

    The model turns the gradient round between discriminator and codes, so that the one learns to tell
    modalities apart and the others not to be told apart.
    """

    def __init__(self, config: DomainAdversarialConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from logits (B, K) of the text's, the vision's and the audio's code, K >= 3."""
        logits = precise(torch.cat([outputs.part(f"{name}_domain") for name in MODALITIES]))
        domain = torch.arange(len(MODALITIES), device=logits.device).repeat_interleave(len(batch))
        return cross_entropy(logits, domain)
