"""How a study names a variant, and what a variant's own configuration must say."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from harness.spec.base import Frozen
from harness.spec.errors import BadInput

View = Literal["transcript", "token_ids", "text", "vision", "audio", "frames"]
"""What a clip can be seen as: its words, their token ids, or features / pixels of one modality."""

TaskName = Literal["sentiment", "retrieval"]
"""What is predicted: a score of each clip, or which clip of another modality is of its class."""

OutputName = Literal[
    "score",
    "class_logits",
    "embedding",
    "audio_embedding",
    "vision_embedding",
    "match",
    "hidden",
]
"""What a model can give; the fields of `harness.types.Outputs`."""

Kind = Literal["dataset", "teacher", "student", "baseline", "loss", "backend"]
"""The registries; in YAML the same words name the sections of a study."""

Modality = Literal["text", "vision", "audio"]

MODALITY_OF: dict[View, Modality] = {
    "transcript": "text",
    "token_ids": "text",
    "text": "text",
    "vision": "vision",
    "frames": "vision",
    "audio": "audio",
}


class VariantRef(BaseModel):
    """A registered name and the parameters that differ from its defaults, flat in one mapping.

    In YAML: ``{name: clip_video, width: 64}``. Which parameters exist is the registry's to say.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def params(self) -> dict[str, Any]:
        """Every key but `name`."""
        return dict(self.model_extra or {})


class VariantConfig(Frozen):
    """The parameters of one registered variant: each with a default, a range and one line of help."""


class BackendConfig(VariantConfig):
    """The parameters of a back end: what runs a trained model's forward pass."""

    tolerance: float = Field(
        1e-3, gt=0, description="largest difference to eager that it is timed with, in label units"
    )

    def check(self) -> None:
        """Whether what it needs is installed.

        Raises:
            BadInput: a package is not; the extra that brings it is named.
        """


class DataConfig(VariantConfig):
    """The parameters of a data set, and the task that its targets are of."""

    task: ClassVar[TaskName] = "sentiment"

    def for_seed(self, seed: int) -> Self:
        """The data as a trial of this seed reads them: of folds, the seed's own, unless one is named."""
        return self


class ModelConfig(VariantConfig):
    """The parameters of a teacher, student or baseline, and what it needs and gives."""

    task: ClassVar[TaskName] = "sentiment"

    is_fitted: ClassVar[bool] = False
    """Whether it is fitted in closed form alone, so that it has no losses and no epochs."""

    def needs(self) -> frozenset[View]:
        """The views its forward pass reads; the engine hands it no others."""
        raise TypeError(f"{type(self).__name__} does not say which views it needs")

    def gives(self) -> frozenset[OutputName]:
        """The outputs its forward pass fills."""
        return frozenset({"score"})

    def parts(self) -> frozenset[str]:
        """Names of the further tensors that its forward pass fills while it is trained, for losses."""
        return frozenset()

    def frames_taken(self) -> int | None:
        """T that it takes of each clip's n frames, at floor((i + 1/2) n / T); None = all there are."""
        return None

    def level_count(self) -> int | None:
        """K of the class logits that it gives; None when it gives none, or the data decide."""
        return None

    def halved(self) -> Self:
        """The same model at half the width, for the control of a smaller backbone.

        Raises:
            BadInput: the model has one size only.
        """
        raise BadInput(f"{type(self).__name__} has no half size; name a smaller model instead")

    def check(self) -> None:
        """Asks the libraries and the disk for what the parameters name; called before any training.

        Raises:
            BadInput: an architecture, a tag or a file is not there.
        """


class LossConfig(VariantConfig):
    """The parameters of a loss, and which outputs it compares."""

    task: ClassVar[TaskName | None] = None
    """The task whose targets it reads, or that it is about in another way; None = any."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"score"})
    """Outputs of the model that is trained."""

    advice: ClassVar[frozenset[OutputName]] = frozenset()
    """Outputs of the frozen teacher; empty for a loss that needs no teacher."""

    parts: ClassVar[frozenset[str]] = frozenset()
    """Further tensors of the model that is trained, which it gives while it is trained only."""

    labels: ClassVar[bool] = False
    """Whether it reads the clips' targets: it is then handed labelled clips only."""

    relational: ClassVar[bool] = False
    """Whether it compares clips with each other, so that it is no mean over single clips."""

    remembers: ClassVar[bool] = False
    """Whether it keeps something of training clips for later steps, so that it has to see them all."""
