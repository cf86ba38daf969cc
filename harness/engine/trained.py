"""A trained model as its trial left it, without the data that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors import SafetensorError
from safetensors.torch import load_model
from torch import nn

from harness.engine.assembly import visible
from harness.engine.devices import one_device
from harness.engine.info_file import load_info
from harness.engine.predict import predict
from harness.engine.seeds import seed_world
from harness.engine.trial import dtype_of
from harness.registry import REGISTRIES
from harness.spec import BadInput, TrialResult, TrialSpec, View
from harness.types import Batch, DataInfo, Outputs


@dataclass(frozen=True)
class TrainedModel:
    """A model with the weights that validation selected, on the CPU, in evaluation mode.

    Attributes:
        info: of the data that it was trained on, with its own tokenizer instead of transcripts.
        fabric: in the precision of the trial.
    """

    model: nn.Module
    result: TrialResult
    info: DataInfo
    fabric: Fabric

    @property
    def spec(self) -> TrialSpec:
        """What it was trained by."""
        return self.result.spec

    @property
    def views(self) -> frozenset[View]:
        """What it reads of a clip."""
        needs: frozenset[View] = REGISTRIES[self.spec.role].configure(self.spec.model).needs()
        return needs

    def seen(self, clips: Batch) -> Batch:
        """The clips as the model sees them: its views, tokenised."""
        return visible(self.spec, self.model, clips)

    def says(self, clips: Batch) -> Outputs:
        """The outputs of clips, in their order, computed as its trial evaluated it."""
        return predict(self.fabric, self.model, self.seen(clips), dtype_of(self.spec.precision))


def rebuild(
    result: TrialResult, checkpoint: Path, info: Path, tokenizer: Path | None = None
) -> TrainedModel:
    """The model of a complete trial, from the files that it left.

    Raises:
        BadInput: the weights or the information are not this model's, as after a change of its code.
    """
    spec = result.spec
    found = load_info(info, tokenizer)
    # As the trial built it, for what a model draws and does not keep among its weights.
    seed_world(spec.seed, "init")
    model = REGISTRIES[spec.role].build(spec.model, found)
    try:
        load_model(model, str(checkpoint))
    except (RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(
            f"the checkpoint of trial {result.trial_id}, made by revision "
            f"{result.environment.code_revision}, does not fit '{spec.model.name}': {reason}",
            key="TRIAL",
        ) from error
    fabric = one_device(torch.device("cpu"), spec.precision)
    # For what it does to the module itself: the precision of its weights.
    fabric.setup_module(model)
    return TrainedModel(model.eval(), result, found, fabric)


def clips_of(texts: Sequence[str]) -> Batch:
    """Clips of which nothing is known but what is said."""
    names = tuple(f"text {row}" for row in range(1, len(texts) + 1))
    return Batch(names, names, torch.zeros(len(texts)), transcripts=tuple(texts))
