"""What a variant must offer, and what it may: the engine asks for these, and knows no variant.

Letters: B clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from harness.spec import Condition, StageName, View
from harness.types import Batch, DataInfo, Dataset, Outputs


class Reader(Protocol):
    """What a registered data set offers; built from its configuration."""

    def prepare(self) -> None:
        """Makes the files of an embedded data set; checks that those of a real one are there."""

    def fingerprint(self) -> str:
        """A hash of everything that `load` reads and of how it is turned into tensors."""

    def load(self) -> Dataset:
        """The clips; every fault of the files is a `BadInput` here."""


@runtime_checkable
class Degrades(Protocol):
    """A reader with recordings, which it can read with noise in them."""

    def degraded(self, data: Dataset, condition: Condition) -> Batch:
        """The test clips of `data` under the condition, with features scaled as those of `data` are."""


@dataclass(frozen=True)
class ClipReading:
    """The way of clips from their files to what a model sees of them, one step after the other.

    Attributes:
        steps: stage and function; the first is given clip ids, each further one what the one before
            gave, and the last gives a mapping of the views, those and no others, to `Padded`
            (B, T, ...). A stage may have several steps.
        networks: what is run on the way by its name, for its parameters; empty where features are
            computed without weights.
        notes: first the library that decodes with its version and threads; each extractor, and whose
            weights it has.
    """

    steps: tuple[tuple[StageName, Callable[[Any], Any]], ...]
    networks: Mapping[str, nn.Module] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@runtime_checkable
class ReadsClips(Protocol):
    """A reader with recordings on this machine's disk, which can be read clip by clip.

    A reader of ready features has none, so a model that reads them has no end-to-end cost.
    """

    def reading(self, data: Dataset, views: frozenset[View]) -> ClipReading:
        """How clips are read as `views`, equal to those of `data` bit for bit.

        Nothing is done that no view asks for: without a view of the pictures none is decoded, and
        without any view there are no steps.

        Args:
            data: as `load` gives it; its features' scales are used.
            views: of frames, vision, audio.

        Raises:
            BadInput: a clip's file is missing or damaged, as `load` says it; of the steps as well.
            ValueError: a view that is no recording's.
        """

    def hearing(self, sample_rate: int) -> ClipReading:
        """How the sound of clips is read for speech recognition, in so many samples a second.

        The last step gives a tuple of arrays (S,), float32 and mono, one a clip.
        """

    def clip_file(self, clip: str) -> Path:
        """Where the recording of a clip lies."""

    def clip_seconds(self, clip: str) -> float:
        """How long the recording of a clip is, as its container says; nothing is decoded."""


class Runner(Protocol):
    """A model on a back end, ready to be called."""

    def __call__(self, batch: Batch) -> Outputs:
        """The first output that the model gives at inference, and maybe others, of a batch's clips."""

    def file_bytes(self) -> int:
        """The model's size as this back end stores it."""

    def notes(self) -> tuple[str, ...]:
        """What has to be known, such as versions, and threads as they are read back."""


class Backend(Protocol):
    """What a registered back end offers; built from its configuration."""

    def ready(self, model: nn.Module, batches: Sequence[Batch], threads: int) -> Runner:
        """The model, prepared: compiled, exported or quantised. The model itself is left as it was.

        Args:
            model: in eval mode, on its device.
            batches: all that it will be called with, as the model sees clips; never empty.
            threads: of a back end with threads of its own.

        Raises:
            Unsupported: this model cannot be had on this back end.
        """


class Unsupported(Exception):
    """A model cannot be had on a back end; one line that says why."""


@runtime_checkable
class ExportsToHub(Protocol):
    """A model that can leave as a folder of Hugging Face's transformers."""

    def to_hub(self, folder: Path) -> None:
        """Writes weights, configuration, tokenizer and, where there is no class for it, its code."""


class Model(Protocol):
    """What a registered teacher, student or baseline offers: an `nn.Module` from Batch to Outputs."""

    def __call__(self, batch: Batch) -> Outputs:
        """The outputs of a batch's clips."""


@runtime_checkable
class ChecksData(Protocol):
    """A model's configuration that asks more of the data than that they have its views."""

    def check_data(self, info: DataInfo) -> None:
        """Raises `BadInput` if the model cannot be trained on such data; called before any training."""


@runtime_checkable
class Tokenises(Protocol):
    """A model that reads transcripts and turns them into tokens once, ahead of the loop."""

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with `tokens`."""


@runtime_checkable
class KeepsTokenizer(Protocol):
    """A model whose tokenizer belongs to what training leaves, as a fitted one does."""

    def tokenizer_json(self) -> str | None:
        """The tokenizer as the library `tokenizers` stores it; None if the text is no words here."""


@runtime_checkable
class Notes(Protocol):
    """A model with facts that every table must say of it."""

    def notes(self) -> tuple[str, ...]:
        """Sentences such as "vision tower: random weights"."""


@runtime_checkable
class Precomputes(Protocol):
    """A model with frozen parts, which say the same of the same clip for ever."""

    def frozen_identity(self) -> str | None:
        """A hash of the frozen parts' weights and transforms; None when nothing can be precomputed."""

    def precompute(self, batch: Batch) -> dict[str, Tensor]:
        """(B, ...) tensors of the frozen parts, which `forward` reads back from `batch.precomputed`."""

    def replaced_views(self) -> frozenset[View]:
        """The views that `forward` no longer reads of a batch with `precomputed`."""


@runtime_checkable
class ScalesRates(Protocol):
    """A model whose parts learn at different rates."""

    def rate_scale(self, name: str) -> float:
        """The multiple of the trial's learning rate for the parameter `name` of `named_parameters`."""


@runtime_checkable
class Adapts(Protocol):
    """A loss with parameters or a memory of its own, such as a projection between widths."""

    def adapt(self, outputs: Outputs, advice: Outputs | None, clips: Batch) -> None:
        """Makes the parameters; called once, before the optimiser is built.

        Args:
            outputs: the model's outputs on a few clips, as it is trained, for their widths.
            advice: the teacher's outputs on the same clips.
            clips: all training clips, for a loss that keeps something of each.
        """


@runtime_checkable
class Fits(Protocol):
    """A model with a part that is fitted to all training clips in closed form."""

    def fit(self, clips: Batch) -> None:
        """Fits the part, and keeps what it finds in buffers that had their shapes from the start.

        Called in evaluation mode and without gradients, before every evaluation on validation clips,
        and once for a model without epochs.
        """

    def fitted_parameters(self) -> int:
        """How many values of the fitted part are needed at inference."""


@runtime_checkable
class Opposes(Protocol):
    """A loss with an opponent: parameters of its own that learn against the model.

    Before every step of the model the opponent makes one, by an optimiser of its own, on the model's
    outputs as they are; the model then minimises the loss's `forward` as any other.
    """

    def opponent(self) -> Iterable[nn.Parameter]:
        """The parameters that the model's optimiser leaves alone."""

    def opponent_loss(self, outputs: Outputs, batch: Batch) -> Tensor:
        """What the opponent minimises; `outputs` have no gradient, and labels are not its to read."""


class Loss(Protocol):
    """What a registered loss offers: an `nn.Module` to a finite scalar.

    The scalar is a mean over clips, except for a loss whose configuration says `relational`.
    """

    def __call__(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """The loss of `outputs`; `advice` are the frozen teacher's outputs for the same clips."""
