"""Whether an opponent can tell the embeddings of sounds from those of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.nn.compare.geometry import precise
from harness.nn.mlp import mlp
from harness.registry import LOSSES
from harness.spec import FloatSpace, IntSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs

MODALITIES: tuple[OutputName, OutputName] = ("audio_embedding", "vision_embedding")


class ModalityAdversarialConfig(LossConfig):
    """The size of the opponent."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset(MODALITIES)

    hidden: int = Field(32, ge=1, description="units of each of the opponent's two hidden layers")


@LOSSES.register(
    "modality_adversarial",
    config=ModalityAdversarialConfig,
    paper="Wang et al., MM 2017, ACMR, doi 10.1145/3123266.3123326 (modality classifier)",
    tiny={"hidden": 4},
    space={
        "weight": FloatSpace(low=0.01, high=1, log=True),
        "hidden": IntSpace(low=8, high=128, log=True),
    },
)
class ModalityAdversarial(nn.Module):
    """Minus the cross-entropy of an opponent that names the modality of each embedding, mean over both.

    The opponent minimises the cross-entropy itself by an optimiser of its own (`Opposes`), a step
    before each of the model's. Embeddings that cannot be told apart cost -log 2, the least that the
    best opponent leaves. The classifier has three layers as in the paper, from memory; those of the
    public code are linear and their widths follow the embedding's.
    """

    def __init__(self, config: ModalityAdversarialConfig, info: DataInfo) -> None:
        super().__init__()
        self.hidden = config.hidden
        self.classifier: nn.Sequential | None = None

    def adapt(self, outputs: Outputs, advice: Outputs | None, clips: Batch) -> None:
        """Makes the opponent for embeddings (B, D)."""
        width = outputs.tensor(MODALITIES[0]).shape[1]
        self.classifier = mlp([width, self.hidden, self.hidden, 2], activation=nn.ReLU)

    def opponent(self) -> Iterable[nn.Parameter]:
        """The parameters of the modality classifier."""
        return [] if self.classifier is None else self.classifier.parameters()

    def opponent_loss(self, outputs: Outputs, batch: Batch) -> Tensor:
        """The classifier's cross-entropy, a scalar from both embeddings (B, D).

        Raises:
            ValueError: the classifier was not made yet.
        """
        if self.classifier is None:
            raise ValueError("a loss with parameters was called before it was adapted to the outputs")
        vectors = torch.cat([outputs.tensor(name) for name in MODALITIES])
        logits = precise(self.classifier(vectors.to(self.classifier[0].weight.dtype)))
        modality = torch.arange(2, device=logits.device).repeat_interleave(len(vectors) // 2)
        return cross_entropy(logits, modality)

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar, at most 0, from both embeddings (B, D)."""
        return -self.opponent_loss(outputs, batch)
