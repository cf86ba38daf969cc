"""A linear classifier of each modality; clips are found by their probabilities of the classes."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.retrieval.linear_cca import labelled
from harness.nn.retrieval.towers import VIEWS, pooled
from harness.registry import BASELINES
from harness.spec import BadInput, FloatSpace, ModelConfig, OutputName, TaskName, View
from harness.types import Batch, DataInfo, Outputs

_STEPS, _TOLERANCE = 1000, 1e-8
"""Of L-BFGS: at most so many steps, until no derivative is larger."""


class LinearProbeConfig(ModelConfig):
    """How strongly the weights are drawn to zero; D of the embeddings is the number of classes."""

    task: ClassVar[TaskName] = "retrieval"
    is_fitted: ClassVar[bool] = True

    decay: float = Field(
        0.1, gt=0, le=100, description="weight of half the squared weights beside the cross-entropy"
    )

    def needs(self) -> frozenset[View]:
        """Features of sound and pictures."""
        return frozenset(VIEWS)

    def gives(self) -> frozenset[OutputName]:
        """What a clip is found by."""
        return frozenset({"audio_embedding", "vision_embedding"})


@BASELINES.register(
    "linear_probe",
    config=LinearProbeConfig,
    paper="ours: logistic regression a modality, as Alain and Bengio, arXiv 1610.01644, probe features",
    tiny={},
    space={"decay": FloatSpace(low=1e-3, high=10, log=True)},
)
class LinearProbe(nn.Module):
    """Multinomial logistic regression of the class on the sound, and another one on the pictures.

    Each minimises  mean CE(W x + b, y) + decay / 2 ‖W‖²  over the training clips with a label. The
    embeddings are softmax(W x + b), (B, K): sound and pictures meet in what they say of the class.
    Nothing is learnt across modalities, so this is what the features are worth by themselves.
    """

    def __init__(self, config: LinearProbeConfig, info: DataInfo) -> None:
        super().__init__()
        if len(info.classes) < 2:
            raise BadInput(f"expected data with two or more classes, found {len(info.classes)}")
        self.decay = config.decay
        self.audio = _Classifier(info.width("audio"), len(info.classes))
        self.vision = _Classifier(info.width("vision"), len(info.classes))

    def forward(self, batch: Batch) -> Outputs:
        """The probabilities of the classes by either modality."""
        return Outputs(
            audio_embedding=self.audio(pooled(batch.audio)),
            vision_embedding=self.vision(pooled(batch.vision)),
        )

    def fit(self, clips: Batch) -> None:
        """Both regressions, from weights of zero; the minimum is the only one."""
        clips = labelled(clips)
        self.audio.fit(pooled(clips.audio), clips.target, self.decay)
        self.vision.fit(pooled(clips.vision), clips.target, self.decay)

    def fitted_parameters(self) -> int:
        """Weights and biases."""
        return sum(buffer.numel() for buffer in self.buffers())


class _Classifier(nn.Module):
    """softmax(W x + b)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(classes, width))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.linear(features, self.weight, self.bias).softmax(1)

    def fit(self, features: Tensor, target: Tensor, decay: float) -> None:
        """(N, D) features, (N,) classes."""
        # A model may be evaluated in half precision, where L-BFGS finds no minimum.
        features, weight, bias = (each.double() for each in (features, self.weight, self.bias))
        free = [torch.zeros_like(each, requires_grad=True) for each in (weight, bias)]
        solver = torch.optim.LBFGS(
            free,
            max_iter=_STEPS,
            tolerance_grad=_TOLERANCE,
            tolerance_change=1e-14,
            line_search_fn="strong_wolfe",
        )

        @torch.enable_grad()
        def loss() -> Tensor:
            solver.zero_grad()
            logits = nn.functional.linear(features, *free)
            value = nn.functional.cross_entropy(logits, target) + decay / 2 * free[0].square().sum()
            value.backward()
            return value

        solver.step(loss)
        self.weight.copy_(free[0].detach())
        self.bias.copy_(free[1].detach())
