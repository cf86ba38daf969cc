"""The values that travel between layers: clips as tensors, and what models make of them.

Letters: B clips, T steps of a sequence, D features, K classes, H × W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import torch
from torch import Tensor

from harness.paged import cat_paged
from harness.spec import OutputName, TaskName, View


@dataclass(frozen=True)
class Padded:
    """Sequences of different lengths in one tensor; the only way sequences travel.

    Attributes:
        values: (B, T, ...), zero where `mask` is False; token ids have their padding id there.
        mask: (B, T) bool, True where a step exists. Existing steps come first.
    """

    values: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        if self.mask.dtype != torch.bool or self.values.shape[:2] != self.mask.shape:
            raise ValueError(
                f"expected values (B, T, ...) and a bool mask (B, T), given {tuple(self.values.shape)} "
                f"and {self.mask.dtype} {tuple(self.mask.shape)}"
            )

    @property
    def lengths(self) -> Tensor:
        """(B,) number of existing steps."""
        return self.mask.sum(1)

    @property
    def width(self) -> int:
        """D of values (B, T, D)."""
        return int(self.values.shape[-1])

    def take(self, index: Tensor) -> Padded:
        """The rows of `index`, cut to the longest of them (never below one step)."""
        mask = self.mask[index]
        longest = max(1, int(mask.sum(1).max())) if len(index) else 1
        return Padded(self.values[index, :longest], mask[:, :longest])

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Padded:
        """The same sequences on `device`; floating point values as `dtype`, integers as they are."""
        values = self.values.to(device, dtype if self.values.is_floating_point() else None)
        return Padded(values, self.mask.to(device))

    @classmethod
    def cat(cls, parts: Sequence[Padded]) -> Padded:
        """The sequences of all parts, one part after the other, padded to the longest."""
        return cls(cat_paged([part.values for part in parts]), cat_paged([part.mask for part in parts]))

    def mean(self) -> Tensor:
        """(B, ...) mean over existing steps; zero for an empty sequence."""
        mask = self.mask.reshape(*self.mask.shape, *[1] * (self.values.ndim - 2))
        total = torch.where(mask, self.values, 0).sum(1)
        return total / mask.sum(1).clamp(min=1)


@dataclass(frozen=True)
class Batch:
    """Clips side by side: a mini-batch, or a whole split.

    A view that the data does not have, or that a model did not ask for, is None.

    Attributes:
        ids: B clip ids, unique in a data set.
        video_ids: B ids of the videos that the clips were cut from.
        transcripts: B utterances; None for a model that does not read them.
        target: (B,) float score; in retrieval int64, the index of the class.
        tokens: (B, L) int64 token ids of the transcripts, made by the model that reads them.
        text, vision, audio: (B, T, D) float features.
        token_ids: (B, L) int64 token ids that the data set stores for an encoder of the user's.
        frames: (B, T, 3, H, W) uint8 pixels.
        labelled: (B,) bool, False for a training clip whose target no loss may read; None = all.
        precomputed: (B, ...) tensors that frozen parts of the model gave ahead of training, by names
            of the model's own; empty when nothing is precomputed.
        is_degraded: whether something was taken from the clips on purpose, so that an empty transcript
            is no fault.
        intact: the same clips with nothing missing, where something was taken from a training batch;
            None where nothing was. A loss may read it; a model may only while it is trained.
    """

    ids: tuple[str, ...]
    video_ids: tuple[str, ...]
    target: Tensor
    transcripts: tuple[str, ...] | None = None
    tokens: Padded | None = None
    token_ids: Padded | None = None
    text: Padded | None = None
    vision: Padded | None = None
    audio: Padded | None = None
    frames: Padded | None = None
    labelled: Tensor | None = None
    precomputed: Mapping[str, Tensor] = field(default_factory=dict)
    is_degraded: bool = False
    intact: Batch | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: Tensor) -> Batch:
        """The clips of `index` (n,), in that order; sequences are cut to the longest taken."""
        rows = index.tolist()
        changed: dict[str, Any] = {
            name: value.take(index) for name, value in self._sequences().items() if value is not None
        }
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            video_ids=tuple(self.video_ids[row] for row in rows),
            transcripts=None if self.transcripts is None else tuple(self.transcripts[r] for r in rows),
            target=self.target[index],
            labelled=None if self.labelled is None else self.labelled[index],
            precomputed={name: tensor[index] for name, tensor in self.precomputed.items()},
            intact=None if self.intact is None else self.intact.take(index),
            **changed,
        )

    def only(self, views: frozenset[View]) -> Batch:
        """The same clips, seen through `views` alone."""
        return replace(self.without(frozenset(get_args(View)) - views), tokens=None)

    def without(self, views: frozenset[View]) -> Batch:
        """The same clips, not seen through `views`."""
        hidden: dict[str, Any] = {
            "transcripts" if view == "transcript" else view: None for view in views
        }
        return replace(self, **hidden)

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Batch:
        """The same clips on `device`, floating point values as `dtype`."""
        moved: dict[str, Any] = {
            name: value.to(device, dtype)
            for name, value in self._sequences().items()
            if value is not None
        }
        return replace(
            self,
            target=self.target.to(device, dtype if self.target.is_floating_point() else None),
            labelled=None if self.labelled is None else self.labelled.to(device),
            precomputed={
                name: tensor.to(device, dtype if tensor.is_floating_point() else None)
                for name, tensor in self.precomputed.items()
            },
            intact=None if self.intact is None else self.intact.to(device, dtype),
            **moved,
        )

    def _sequences(self) -> dict[str, Padded | None]:
        names = ("tokens", "token_ids", "text", "vision", "audio", "frames")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Outputs:
    """What a model says of B clips; a field it does not give is None.

    Attributes:
        score: (B,) the regression.
        class_logits: (B, K) one logit a sentiment level, lowest level first, or one an event class.
        embedding: (B, D) the vector that the score is read from; in retrieval, of the clip as a whole.
        audio_embedding, vision_embedding: (B, D) what a clip is found by, compared by their angle; not
            zero, of any length.
        match: (B, M + 1) factors of the match scores of pairs of clips, see `harness.nn.compare.match`.
        hidden: (B, T, D) the last sequence of states.
        parts: (B, ...) further tensors by names of the model's own, for its losses; a model gives them
            while it is trained only, so that they cost nothing at inference.
    """

    score: Tensor | None = None
    class_logits: Tensor | None = None
    embedding: Tensor | None = None
    audio_embedding: Tensor | None = None
    vision_embedding: Tensor | None = None
    match: Tensor | None = None
    hidden: Padded | None = None
    parts: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.first())

    def first(self) -> Tensor:
        """The first output that is given, (B, ...)."""
        for name in get_args(OutputName):
            if getattr(self, name) is not None:
                return self.tensor(name)
        raise ValueError("a model has to give one output at least")

    def part(self, name: str) -> Tensor:
        """The part of that name.

        Raises:
            ValueError: the model does not give it.
        """
        if name not in self.parts:
            given = ", ".join(self.parts) or "none"
            raise ValueError(f"the part '{name}' is missing; given: {given}")
        return self.parts[name]

    def tensor(self, name: OutputName) -> Tensor:
        """The output of that name.

        Raises:
            ValueError: the model does not give it.
        """
        value = getattr(self, name)
        if value is None:
            given = [each for each in get_args(OutputName) if getattr(self, each) is not None]
            raise ValueError(f"the output '{name}' is missing; given: {', '.join(given)}")
        return value.values if isinstance(value, Padded) else value

    def take(self, index: Tensor) -> Outputs:
        """The outputs of the clips of `index` (n,), in that order."""
        return self._each(lambda tensor: tensor[index], lambda hidden: hidden.take(index))

    def detach(self) -> Outputs:
        """The same outputs without a gradient."""
        return self._each(Tensor.detach, lambda hidden: Padded(hidden.values.detach(), hidden.mask))

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Outputs:
        """The same outputs on `device`, as `dtype`."""
        return self._each(
            lambda tensor: tensor.to(device, dtype), lambda hidden: hidden.to(device, dtype)
        )

    def _each(self, tensor: Callable[[Tensor], Tensor], padded: Callable[[Padded], Padded]) -> Outputs:
        found = {name: getattr(self, name) for name in get_args(OutputName)}
        return Outputs(
            **{
                name: padded(value) if isinstance(value, Padded) else tensor(value)
                for name, value in found.items()
                if value is not None
            },
            parts={name: tensor(value) for name, value in self.parts.items()},
        )


@dataclass(frozen=True)
class DataInfo:
    """What a model must know of the data before it is built.

    Attributes:
        task: name of a task of `harness.spec.TASKS`.
        label_range: lowest and highest label; of classes, the first and the last index.
        views: what the clips can be seen as.
        text_width, vision_width, audio_width: D of the feature views, None without the view.
        text_steps, vision_steps, audio_steps: T of the longest sequence of any split, None without
            the view; what a model with weights a step must have room for.
        classes: names of the K event classes, in the order of their indices; empty without classes.
        is_aligned: whether step t of the feature views is the same moment (or word) of the clip.
        train_transcripts: for fitting a tokenizer; training clips only.
        tokenizer_json: of a trained model, which reads with it and fits none; None before training.
        features: whose features they are, for the footnotes of tables.
    """

    task: TaskName
    label_range: tuple[float, float]
    views: frozenset[View]
    classes: tuple[str, ...] = ()
    text_width: int | None = None
    vision_width: int | None = None
    audio_width: int | None = None
    text_steps: int | None = None
    vision_steps: int | None = None
    audio_steps: int | None = None
    is_aligned: bool = False
    train_transcripts: tuple[str, ...] = ()
    tokenizer_json: str | None = None
    features: str = ""

    def steps(self, view: View) -> int:
        """T of the longest sequence of a feature view."""
        return self._of_view(view, "steps")

    def width(self, view: View) -> int:
        """D of a feature view."""
        return self._of_view(view, "width")

    def _of_view(self, view: View, what: str) -> int:
        value: int | None = getattr(self, f"{view}_{what}")
        if value is None:
            raise ValueError(f"the data has no {view} features; it has: {', '.join(sorted(self.views))}")
        return value

    def levels(self, count: int) -> Tensor:
        """(count,) sentiment levels, evenly spaced over the label range."""
        return torch.linspace(*self.label_range, count)


@dataclass(frozen=True)
class Dataset:
    """Three splits without a common clip or video, and what was found while reading them.

    Attributes:
        scales: mean and sd (D,) in train of each feature view that was standardised by them.
    """

    train: Batch
    valid: Batch
    test: Batch
    info: DataInfo
    findings: tuple[str, ...] = ()
    scales: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
