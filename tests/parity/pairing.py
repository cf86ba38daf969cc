"""A port beside the peer's model: how weights, inputs and losses of one become those of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from harness.types import Batch, DataInfo, Outputs, Padded

CLIPS, STEPS = 4, 8
WIDTHS = {"text": 12, "vision": 7, "audio": 5}

Value = Callable[[], Tensor]
"""A scalar of one of the two models."""


@dataclass(frozen=True)
class Pair:
    """One port and the peer's model, built at the same sizes, and not yet with the same weights.

    Attributes:
        port: a class of `baselines`, every switch at ``peer`` and every dropout at 0.
        peer: the peer's module, every dropout at 0.
        names: the name of each parameter and buffer of the port, to that of the peer; to several where
            the port holds the peer's tensors one after the other. Every one of either side is named
            exactly once.
        batch: what the port reads.
        peer_score: the peer's scores (B,) of the same clips.
        losses: name to the port's and the peer's scalar; both models are then in training mode.
        layouts: the name of a parameter of the port whose inputs stand in another order, to what brings
            the peer's tensor into that order.
    """

    port: nn.Module
    peer: nn.Module
    names: Mapping[str, str | tuple[str, ...]]
    batch: Batch
    peer_score: Callable[[], Tensor]
    losses: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    layouts: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)

    def outputs(self) -> Outputs:
        """What the port says of the batch."""
        found: Outputs = self.port(self.batch)
        return found

    def same_weights(self) -> None:
        """Gives the port the peer's parameters and buffers."""
        self.port.load_state_dict(self.renamed(self.peer.state_dict(), self.port.state_dict()))

    def peer_names(self) -> list[str]:
        """The names of the peer's side."""
        several = [(name,) if isinstance(name, str) else name for name in self.names.values()]
        return [name for names in several for name in names]

    def renamed(self, theirs: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The peer's tensors under the port's names in `like`, and in the shapes of these."""
        found = {}
        for name, ours in like.items():
            source = self.names[name]
            tensor = (
                theirs[source]
                if isinstance(source, str)
                else torch.stack([theirs[each] for each in source]).reshape(ours.shape)
            )
            found[name] = self.layouts[name](tensor) if name in self.layouts else tensor
        return found


def in_order(widths: Mapping[str, int], wanted: Sequence[str]) -> Callable[[Tensor], Tensor]:
    """Brings columns that stand in the order of `widths`, by modality, into the wanted order."""

    def moved(weight: Tensor) -> Tensor:
        parts = dict(zip(widths, weight.split(tuple(widths.values()), dim=1), strict=True))
        return torch.cat([parts[view] for view in wanted], dim=1)

    return moved


def absolute_errors(
    port: nn.Module, batch: Batch, peer_score: Callable[[], Tensor]
) -> dict[str, tuple[Value, Value]]:
    """The losses of a pair that has no loss of its own: both models as they are trained."""

    def error(score: Callable[[], Tensor]) -> Value:
        return lambda: (score() - batch.target).abs().mean()

    return {"task_l1": (error(lambda: port(batch).score), error(peer_score))}


def clips(steps: Mapping[str, int] | None = None, seed: int = 0) -> Batch:
    """Clips whose sequences are as long as their padding, because the peer reads padding as data."""
    draw = torch.Generator().manual_seed(seed)
    found = {}
    for view, width in WIDTHS.items():
        length = STEPS if steps is None else steps[view]
        values = torch.randn(CLIPS, length, width, generator=draw)
        found[view] = Padded(values, torch.ones(CLIPS, length, dtype=torch.bool))
    names = tuple(f"clip{row}" for row in range(CLIPS))
    return Batch(names, names, torch.linspace(-2, 2, CLIPS), **found)


def info(batch: Batch) -> DataInfo:
    """What a port must know of the clips."""
    views = {view: getattr(batch, view) for view in WIDTHS}
    steps = {view: padded.values.shape[1] for view, padded in views.items()}
    return DataInfo(
        task="sentiment",
        label_range=(-3.0, 3.0),
        views=frozenset({*WIDTHS, "token_ids"}),
        text_width=views["text"].width,
        vision_width=views["vision"].width,
        audio_width=views["audio"].width,
        text_steps=steps["text"],
        vision_steps=steps["vision"],
        audio_steps=steps["audio"],
        is_aligned=len(set(steps.values())) == 1,
    )
