"""An epoch of a port in the engine's loop, and of the peer's model in a bare loop, on the same clips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import torch
from easydict import EasyDict
from lightning_fabric import Fabric
from MMSA import get_config_regression
from MMSA.models import multiTask, singleTask
from MMSA.models.missingTask.TFR_NET import model as tfr_net
from torch import Tensor, nn

from harness.engine.assembly import build_model, visible
from harness.engine.loop import Job, _Trainer
from harness.engine.optimiser import adamw
from harness.engine.terms import build_terms
from harness.engine.training_step import Learner, TrainingStep
from harness.registry import BASELINES, discover
from harness.spec import LossTerm, Optimisation, TrialSpec, VariantRef
from harness.study.presets import presets
from harness.types import Batch, Dataset, Padded

BATCH = 32
KERNEL = 5
"""Of MulT's convolutions on MOSI; the peer cannot read fewer steps, so both then have kernels of 1."""
Epoch = Callable[[int], None]
Call = Callable[[nn.Module, Batch], Tensor]

discover()


def on_features(model: nn.Module, batch: Batch) -> Tensor:
    """Scores of a peer that reads features."""
    found = model(batch.text.values, batch.audio.values, batch.vision.values)
    return found["M"] if isinstance(found, dict) else found[0]


def on_means(model: nn.Module, batch: Batch) -> Tensor:
    """Scores of a peer whose loader averages audio and vision over time."""
    audio, vision = (view.values.mean(1, keepdim=True) for view in (batch.audio, batch.vision))
    return model(batch.text.values, audio, vision)["M"]


def on_ids(model: nn.Module, batch: Batch) -> Tensor:
    """Scores of a peer that reads ids and features of as many steps."""
    found = model(ids_of(batch), batch.audio.values, batch.vision.values)
    return found["M"] if isinstance(found, dict) else found


def with_lengths(model: nn.Module, batch: Batch) -> Tensor:
    """Scores of a peer that is told the lengths of audio and vision."""
    audio, vision = batch.audio, batch.vision
    read = (ids_of(batch), (audio.values, audio.lengths), (vision.values, vision.lengths))
    return model(*read)["M"]


def with_masks(model: nn.Module, batch: Batch) -> Tensor:
    """Scores of TFR-Net, of clips that nothing is missing from."""
    ids, exist = ids_of(batch), batch.token_ids.mask.float()
    views = [
        (view.values, view.values, *(view.mask.float(),) * 2) for view in (batch.audio, batch.vision)
    ]
    return model((ids, ids, exist), *views)[0]


def ids_of(batch: Batch) -> Tensor:
    """(B, 3, L) as the peer reads ids."""
    ids = batch.token_ids.values
    return torch.stack((ids, torch.ones_like(ids), torch.zeros_like(ids)), dim=1)


@dataclass(frozen=True)
class Race:
    """A port, the peer's class, and how that is called."""

    name: str
    peer: type[nn.Module]
    call: Call
    reads_ids: bool = False
    peer_name: str = ""

    def port(self, data: Dataset, bert: str) -> Epoch:
        """An epoch of the port at the sizes of its preset for MOSI, in the engine's loop."""
        preset = presets(BASELINES.get(self.name))["mosi"].model
        text = {"text_source": "token_ids", "pretrained": bert, "max_tokens": 64}
        params = {**preset, **(text if self.reads_ids else {}), "name": self.name}
        if self.name == "mult" and data.info.steps("text") < KERNEL:
            params |= dict.fromkeys(("text_kernel", "vision_kernel", "audio_kernel"), 1)
        spec = TrialSpec(
            role="baseline",
            data=VariantRef(name="toy"),
            model=VariantRef.model_validate(params),
            losses={"task_l1": LossTerm()},
            optimisation=Optimisation(batch_size=BATCH, max_epochs=20),
        )
        model = build_model(spec, data)
        step = TrainingStep(Learner(spec, model, build_terms(spec, data.info)))
        fabric = Fabric(accelerator="cpu", devices=1)
        module, optimiser = fabric.setup(step, adamw(step))
        train = visible(spec, model, data.train)
        ends: Any = (Path(), lambda *_: None, lambda _: False, "")
        job = Job(spec, train, train, None, None, torch.float32, *ends)
        trainer = _Trainer(fabric, module, optimiser, job)
        return trainer.train

    def rival(self, data: Dataset, bert: str) -> Epoch:
        """An epoch of the peer's model at the same sizes, in the shortest loop that trains it."""
        model, clips = self.built(data, bert), data.train
        optimiser = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=1e-3)

        def epoch(number: int) -> None:
            model.train()
            order = torch.randperm(len(clips), generator=torch.Generator().manual_seed(number))
            for index in order.split(BATCH):
                batch = clips.take(index)
                optimiser.zero_grad()
                error = (self.call(model, batch).view(-1) - batch.target).abs().mean()
                error.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                error.item()

        return epoch

    def built(self, data: Dataset, bert: str) -> nn.Module:
        """The peer's model with the peer's own values for MOSI."""
        arguments = EasyDict(get_config_regression(self.peer_name or self.name, "mosi"))
        widths = [data.info.width(view) for view in ("text", "audio", "vision")]
        steps = [data.info.steps(view) for view in ("text", "audio", "vision")]
        arguments.feature_dims = [768, *widths[1:]] if self.reads_ids else widths
        arguments.seq_lens = steps[0] if self.name == "ef_lstm" else steps
        if self.name == "mult" and steps[0] < KERNEL:
            arguments.update({f"conv1d_kernel_size_{view}": 1 for view in "lav"})
        arguments.update(train_mode="regression", num_classes=1, device="cpu", pretrained=bert)
        # TFR-Net does not pass its option `pretrained` on.
        over_folder = partial(tfr_net.BertTextEncoder, pretrained=bert)
        with patch.object(tfr_net, "BertTextEncoder", over_folder):
            return self.peer(arguments)


RACES = (
    Race("ef_lstm", singleTask.EF_LSTM, on_features),
    Race("lf_dnn", singleTask.LF_DNN, on_means),
    Race("tfn", singleTask.TFN, on_means),
    Race("lmf", singleTask.LMF, on_means),
    Race("mfn", singleTask.MFN, on_features),
    Race("graph_mfn", singleTask.Graph_MFN, on_features),
    Race("mfm", singleTask.MFM, on_features),
    Race("mult", singleTask.MULT, on_features),
    Race("misa", singleTask.MISA, on_ids, reads_ids=True),
    Race("self_mm", multiTask.SELF_MM, with_lengths, reads_ids=True),
    Race("mmim", singleTask.MMIM, with_lengths, reads_ids=True),
    Race("tfr_net", tfr_net.TFR_NET, with_masks, reads_ids=True),
)


def seconds(port: Epoch, rival: Epoch, rounds: int) -> tuple[float, float]:
    """Median times of an epoch of both, in turns, after one of each to warm up."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for epoch, kept in ((port, times[0]), (rival, times[1])):
            start = perf_counter()
            epoch(number)
            kept.append(perf_counter() - start)
    return median(times[0][1:]), median(times[1][1:])


def with_ids(data: Dataset, words: int) -> Dataset:
    """The data with token ids of as many steps as the text has, for peers that read nothing else."""

    def given(clips: Batch) -> Batch:
        draw = torch.Generator().manual_seed(0)
        ids = torch.randint(5, words, clips.text.mask.shape, generator=draw)
        return replace(clips, token_ids=Padded(ids, torch.ones_like(ids, dtype=torch.bool)))

    return replace(data, train=given(data.train), valid=given(data.valid), test=given(data.test))
