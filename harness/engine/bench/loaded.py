"""An entrant that is ready to be called, from tensors or from the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import torch
from lightning_fabric import Fabric
from safetensors.torch import load_model
from torch import nn

from harness.contracts import Backend, ClipReading, ReadsClips, Runner
from harness.efficiency.latency import synchronise
from harness.efficiency.turns import Call, Laps, clocked
from harness.engine.assembly import build_model, visible
from harness.engine.bench.hearing import Hearing, check_hearing, hearing
from harness.engine.bench.order import Entrant, Groups, Order
from harness.engine.devices import one_device
from harness.engine.environment import find_device
from harness.engine.trial import dtype_of
from harness.registry import BACKENDS, DATASETS, REGISTRIES
from harness.spec import BadInput, StageName, TrialSpec, VariantRef, View
from harness.types import Batch, Dataset, Outputs, Padded

RECORDED: frozenset[View] = frozenset({"frames", "vision", "audio"})
"""What can be read of a recording."""


@dataclass(frozen=True)
class Loaded:
    """A model with its weights, its back end, and the way of clips to it.

    Attributes:
        source: the clips that are timed, through the views that the model needs.
        clips: the same as the model sees them, on the CPU.
        reading: None for a model that reads nothing of recordings, or is timed from tensors only.
        hearing: None where transcripts are given, or not read.
    """

    entrant: Entrant
    fabric: Fabric
    model: nn.Module
    runner: Runner
    source: Batch
    clips: Batch
    reading: ClipReading | None
    hearing: Hearing | None
    transcripts: Path

    def ready(self, rows: Sequence[int]) -> Batch:
        """Clips on the device, as the model sees them."""
        return self._copied(self.clips.take(torch.tensor(rows)))

    def says(self, batch: Batch) -> Outputs:
        """What the back end gives of clips on the device."""
        with self.fabric.autocast():
            return self.runner(batch)

    def model_only(self, groups: Groups) -> Call:
        """Calls from tensors that are ready."""
        batches = [self.ready(rows) for rows in groups]
        return clocked(lambda group: self.says(batches[group]), self._wait)

    def end_to_end(self, groups: Groups) -> Call:
        """Calls from clip file and transcript on disk to numbers in memory, with a lap a step."""

        def call(group: int) -> tuple[int, int, Laps]:
            self._wait()
            start = perf_counter_ns()
            laps = self._pass(groups[group])
            return start, laps[-1][1], laps

        return call

    def reads_transcripts(self) -> bool:
        """Whether the model is given what is said."""
        return self.source.transcripts is not None

    def _pass(self, rows: Sequence[int]) -> Laps:
        laps: list[tuple[StageName, int]] = []

        def done(stage: StageName) -> None:
            laps.append((stage, perf_counter_ns()))

        def through(reading: ClipReading, value: Any) -> Any:
            for stage, step in reading.steps:
                value = step(value)
                done(stage)
            return value

        ids = tuple(self.source.ids[row] for row in rows)
        views: Mapping[View, Padded] = through(self.reading, ids) if self.reading else {}
        transcripts = None
        if self.hearing is not None:
            self.hearing.listen(through(self.hearing.reading, ids), rows)
            done("speech_recognition")
        if self.reads_transcripts():
            files = [self.transcripts / f"{row}.txt" for row in rows]
            transcripts = tuple(file.read_text(encoding="utf-8") for file in files)
            done("read")
        batch = self._seen(ids, rows, transcripts, views)
        done("tokenise")
        batch = self._copied(batch)
        self._wait()
        done("copy")
        outputs = self.says(batch)
        self._wait()
        done("forward")
        outputs.first().float().cpu().tolist()
        done("post")
        return laps

    def _seen(
        self,
        ids: tuple[str, ...],
        rows: Sequence[int],
        transcripts: tuple[str, ...] | None,
        views: Mapping[View, Padded],
    ) -> Batch:
        """The clips as the model sees them, made of nothing but what was read just now."""
        given: dict[str, Any] = {str(view): padded for view, padded in views.items()}
        batch = Batch(
            ids=ids,
            video_ids=tuple(self.source.video_ids[row] for row in rows),
            target=torch.zeros(len(ids)),
            transcripts=transcripts,
            **given,
        )
        return visible(self.entrant.spec, self.model, batch)

    def _copied(self, batch: Batch) -> Batch:
        return batch.to(self.fabric.device, dtype_of(self.entrant.spec.precision))

    def _wait(self) -> None:
        synchronise(self.fabric.device)


Readings = dict[tuple[VariantRef, frozenset[View]], ClipReading]
"""By data set and views how clips are read; rows that read alike share extractors."""


def load(entrant: Entrant, order: Order, threads: int, readings: Readings | None = None) -> Loaded:
    """Builds the model, reads its weights, and prepares back end, extractors and speech recognition.

    Args:
        entrant: the row.
        order: what it is part of.
        threads: of the forward pass.
        readings: those of other rows of this process, which this one adds to.

    Raises:
        BadInput: the device is not there, or something that reads clips is not.
        Unsupported: the model cannot be had on the back end.
    """
    spec, settings = entrant.spec, order.settings
    data = order.material[spec.data].data
    fabric = one_device(find_device(order.accelerator), spec.precision)
    model = build_model(spec, data)
    if entrant.checkpoint is not None:
        load_model(model, str(entrant.checkpoint))
    # For what it does to the module itself: the device, and the precision of its weights.
    fabric.setup_module(model)
    model.eval()
    source = data.test.only(needs_of(spec))
    is_end_to_end = "end_to_end" in settings.routes
    is_heard = is_end_to_end and settings.asr is not None and source.transcripts is not None
    found = Loaded(
        entrant=entrant,
        fabric=fabric,
        model=model,
        runner=model,
        source=source,
        clips=visible(spec, model, data.test),
        reading=_reading(spec, data, {} if readings is None else readings) if is_end_to_end else None,
        hearing=hearing(str(settings.asr), spec, source.transcripts or ()) if is_heard else None,
        transcripts=order.transcripts,
    )
    # All of them, and made as they will be: what is compiled for some lengths, or for tensors that
    # autograd may see, is compiled again when others come.
    with torch.inference_mode():
        batches = [found.ready(rows) for size in settings.batches for rows in order.groups(size)]
    backend: Backend = BACKENDS.build(entrant.backend)
    return replace(found, runner=backend.ready(model, batches, threads))


def needs_of(spec: TrialSpec) -> frozenset[View]:
    """The views that the trial's model reads."""
    needs: frozenset[View] = REGISTRIES[spec.role].configure(spec.model).needs()
    return needs


def check_end_to_end(spec: TrialSpec, arm: str, asr: str | None = None) -> None:
    """Whether everything that the model reads of a clip can be made from its recording.

    Args:
        spec: the arm's trial.
        arm: named in messages.
        asr: speech recognition that makes transcripts; None = they are given.

    Raises:
        BadInput: it reads features that were computed elsewhere and come out of a file, or there is no
            sound to be heard.
    """
    ready = needs_of(spec) - {"transcript"}
    if asr is not None and ready != needs_of(spec):
        check_hearing(asr, spec)
    if not ready:
        return
    if ready <= RECORDED and isinstance(DATASETS.build(spec.data), ReadsClips):
        return
    raise BadInput(
        f"arm '{arm}' reads {', '.join(sorted(ready))} as features that data set '{spec.data.name}' has "
        "ready, so what extracting them costs is not known and it has no end-to-end cost; leave it out "
        "(--arm, bench.teachers=false), take data with recordings, or ask for --model-only",
        key="bench.routes",
    )


def _reading(spec: TrialSpec, data: Dataset, readings: Readings) -> ClipReading | None:
    views = needs_of(spec) - {"transcript"}
    if not views:
        return None
    if (spec.data, views) not in readings:
        reader: ReadsClips = DATASETS.build(spec.data)
        readings[spec.data, views] = reader.reading(data, views)
    return readings[spec.data, views]
