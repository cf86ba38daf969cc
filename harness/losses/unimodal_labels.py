"""Scores of single modalities, trained towards labels that are made for them as training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import precise, products
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("text", "vision", "audio")
EPSILON = 1e-8


class UnimodalLabelsConfig(LossConfig):
    """How far a clip is from a class."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(
        {f"{name}_vector" for name in (*MODALITIES, "fusion")} | {f"{name}_score" for name in MODALITIES}
    )
    labels: ClassVar[bool] = True
    remembers: ClassVar[bool] = True

    distance: Literal["paper", "peer"] = Field(
        "paper",
        description="of a vector from a class centre: paper = squared, over the root of its width; "
        "peer = Euclidean",
    )


@LOSSES.register(
    "unimodal_labels",
    config=UnimodalLabelsConfig,
    paper="Yu et al. 2021, Self-MM, arXiv 2102.04830, equations 4 to 10 and algorithm 1",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class UnimodalLabels(nn.Module):
    """The error of each modality's score against a label of its own, summed over three modalities.

    A clip counts as much as tanh |u - m|, where u is the modality's label and m the clip's: u is m in
    the first epoch, which costs nothing. From the second time on that a clip is seen, u moves towards
    m + (s - f)(m + f) / (2 f), in which s and f say how much nearer the modality's and the fused vector
    are to the centre of positive clips than to that of negative ones; the n-th epoch's value weighs
    2 / (n + 1). Centres are those of the vectors that every clip was last seen with, in classes of the
    modality's own labels, zeros in neither. Labels stay in the data's range.

    It remembers labels and vectors of all training clips, and forms centres when they are needed.
    Before there are clips of both classes, or where the formula gives no number, labels stay.
    """

    def __init__(self, config: UnimodalLabelsConfig, info: DataInfo) -> None:
        super().__init__()
        self.distance = config.distance
        self.range = info.label_range
        self.rows: dict[str, int] = {}

    def adapt(self, outputs: Outputs, advice: Outputs | None, clips: Batch) -> None:
        """Makes room for all training `clips`, whose labels every modality's start as."""
        self.rows = {clip: row for row, clip in enumerate(clips.ids)}
        target = precise(clips.target.detach().clone())
        if clips.labelled is not None:
            # Those are never seen here, and must not be known either.
            target = target.where(clips.labelled, 0)
        self.register_buffer("targets", target)
        self.register_buffer("made", target.repeat(len(MODALITIES), 1))
        self.register_buffer("times_seen", torch.zeros(len(clips), dtype=torch.int64))
        for name in (*MODALITIES, "fusion"):
            width = outputs.part(f"{name}_vector").shape[1]
            self.register_buffer(f"{name}_vectors", target.new_zeros(len(clips), width))

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from a score (B,) of each modality, vectors (B, D) of each and of all, and target."""
        rows = self._rows(batch)
        names = (*MODALITIES, "fusion")
        vectors = {name: precise(outputs.part(f"{name}_vector").detach()) for name in names}
        scores = precise(torch.stack([outputs.part(f"{name}_score") for name in MODALITIES]))
        labels = precise(self.made[:, rows])
        weights = (labels - precise(batch.target)).abs().tanh()
        value = (weights * (scores - labels).abs()).mean(1).sum()
        if self.training:
            self._remember(vectors, rows)
        return value

    def _rows(self, batch: Batch) -> Tensor:
        if not self.rows:
            raise ValueError("a loss with a memory was called before it was adapted to the clips")
        return torch.tensor([self.rows[clip] for clip in batch.ids], device=self.made.device)

    @torch.no_grad()
    def _remember(self, vectors: Mapping[str, Tensor], rows: Tensor) -> None:
        """Labels first, by the centres of what was remembered before these clips."""
        if self.times_seen[rows].any():
            self._move_labels(vectors, rows)
        for name, found in vectors.items():
            kept = self.get_buffer(f"{name}_vectors")
            kept[rows] = found.to(kept.dtype)
        self.times_seen[rows] += 1

    def _move_labels(self, vectors: Mapping[str, Tensor], rows: Tensor) -> None:
        epoch, target = self.times_seen[rows] + 1, self.targets[rows]
        fused = self._leaning("fusion", vectors["fusion"], self.targets)
        for labels, name in zip(self.made, MODALITIES, strict=True):
            own = self._leaning(name, vectors[name], labels)
            found = (target * own / (fused + EPSILON) + target + own - fused) / 2
            old = labels[rows]
            moved = ((epoch - 1) * old + 2 * found.clamp(*self.range)) / (epoch + 1)
            labels[rows] = torch.where((epoch > 1) & moved.isfinite(), moved, old).to(labels.dtype)

    def _leaning(self, name: str, vectors: Tensor, labels: Tensor) -> Tensor:
        """(B,) how much nearer vectors (B, D) are to the positive centre; not a number without one."""
        kept = self.get_buffer(f"{name}_vectors").to(vectors.dtype)
        classes = torch.stack((labels > 0, labels < 0)) & (self.times_seen > 0)
        shares = classes.to(kept.dtype) / classes.sum(1, keepdim=True)
        centres = products(shares, kept.mT)
        squared = (vectors.unsqueeze(1) - centres).square().sum(2)
        distances = squared / vectors.shape[1] ** 0.5 if self.distance == "paper" else squared.sqrt()
        positive, negative = distances.unbind(1)
        return (negative - positive) / (positive + EPSILON)
