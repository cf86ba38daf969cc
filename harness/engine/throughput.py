"""What searching with a trained model costs: encoding a query, building an index, searching it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file, load_model
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from harness.efficiency.faiss_index import FaissIndex, use_threads
from harness.efficiency.parameters import inference_parameters
from harness.efficiency.search import (
    ExactIndex,
    Index,
    built,
    grown,
    in_turns,
    pass_ms,
    recall,
    unit,
)
from harness.engine.assembly import build_model, visible
from harness.engine.devices import one_device
from harness.engine.environment import environment, find_device
from harness.engine.predict import predict
from harness.spec import (
    BadInput,
    IndexCost,
    IndexName,
    Repeats,
    Runtime,
    SearchCost,
    SearchWorkload,
    TrialResult,
)
from harness.types import Batch, Dataset

SAME = 0.999
"""Least cosine of a stored vector and the one that the checkpoint gives; machines round differently."""


@dataclass(frozen=True)
class Trained:
    """A complete trial of an arm, with the data and the files that it left."""

    study: str
    arm: str
    result: TrialResult
    data: Dataset
    checkpoint: Path
    vectors: Path
    runtime: Runtime


def search_cost(trained: Trained, workload: SearchWorkload) -> SearchCost:
    """Measures every part, on as many threads as the study has, in torch and faiss alike.

    Sounds are the queries, and pictures the gallery.

    Raises:
        BadInput: a gallery with fewer than k vectors, faiss is asked for and not installed, or the
            checkpoint does not give the stored vectors.
    """
    _check(workload)
    threads = _use_threads(trained.runtime.threads, workload)
    spec, vectors = trained.result.spec, load_file(trained.vectors)
    fabric = one_device(find_device(trained.runtime.accelerator), spec.precision)
    model = _load(trained, fabric)
    clips = visible(spec, model, trained.data.test)
    one = clips.take(torch.tensor([0])).to(fabric.device, _dtype(model))
    _check_vectors(predict(fabric, model, clips, _dtype(model)).tensor("audio_embedding"), vectors)
    draw = torch.Generator().manual_seed(workload.seed)
    queries = unit(grown(vectors["audio"].float(), workload.queries, workload.jitter, draw))
    return SearchCost(
        study=trained.study,
        arm=trained.arm,
        seed=spec.seed,
        trial_id=trained.result.trial_id,
        model=spec.model.name,
        data_fingerprint=trained.result.data_fingerprint,
        parameters=inference_parameters(model, one),
        width=queries.shape[1],
        test_clips=len(clips),
        workload=workload,
        encoding=_encoding(fabric, model, clips, workload),
        indices=tuple(_searches(queries, vectors["vision"].float(), workload, draw)),
        threads=threads,
        environment=environment(fabric.device),
    )


def _check(workload: SearchWorkload) -> None:
    for size in workload.galleries:
        if size < workload.k:
            raise BadInput(
                f"a gallery of {size} has no {workload.k} nearest; expected at least {workload.k}",
                key="--gallery",
            )


def _use_threads(count: int | None, workload: SearchWorkload) -> dict[str, int]:
    """Read back, from every library that is used."""
    if count is not None:
        torch.set_num_threads(count)
    found = {"torch": torch.get_num_threads()}
    if any(name != "exact" for name in workload.indices):
        found["faiss"] = use_threads(found["torch"])
    return found


def _load(trained: Trained, fabric: Fabric) -> nn.Module:
    model = build_model(trained.result.spec, trained.data)
    load_model(model, str(trained.checkpoint))
    # For what it does to the module itself: the device, and the precision of its weights.
    fabric.setup_module(model)
    return model.eval()


def _dtype(model: nn.Module) -> torch.dtype:
    """Of the weights, or of what was fitted; torch's own if there is neither."""
    values = (*model.parameters(), *model.buffers())
    return next((one.dtype for one in values if one.is_floating_point()), torch.float32)


def _check_vectors(found: Tensor, stored: dict[str, Tensor]) -> None:
    if found.shape != stored["audio"].shape or bool(
        (cosine_similarity(found.float(), stored["audio"].float()) < SAME).any()
    ):
        raise BadInput(
            "the stored checkpoint does not give the stored vectors; run the study again", key="STUDY"
        )


def _encoding(
    fabric: Fabric, model: nn.Module, clips: Batch, workload: SearchWorkload
) -> tuple[Repeats, ...]:
    rows = torch.arange(workload.queries) % len(clips)
    dtype = _dtype(model)

    def answer(batch: Batch) -> None:
        with fabric.autocast():
            model(batch)
        if fabric.device.type != "cpu":
            torch.accelerator.synchronize(fabric.device)

    timed = {}
    for size in workload.batches:
        batches = [clips.take(part).to(fabric.device, dtype) for part in rows.split(size)]
        timed[size] = partial(pass_ms, answer, batches, len, workload.seconds)
    with torch.inference_mode():
        samples = in_turns(timed, workload.repeats)
    return tuple(Repeats(batch_size=size, samples_ms=found) for size, found in samples.items())


def _searches(
    queries: Tensor, vectors: Tensor, workload: SearchWorkload, draw: torch.Generator
) -> Iterator[IndexCost]:
    for size in workload.galleries:
        gallery = unit(grown(vectors, size, workload.jitter, draw))
        exact = ExactIndex(gallery).search(queries, workload.k)
        indices = {name: built(partial(_index, name, gallery)) for name in workload.indices}
        timed = {
            (name, batch): partial(_pass, index, queries.split(batch), workload)
            for name, (index, _) in indices.items()
            for batch in workload.batches
        }
        samples = in_turns(timed, workload.repeats)
        for name, (index, seconds) in indices.items():
            yield IndexCost(
                index=name,
                settings=index.settings,
                gallery=size,
                made=max(0, size - len(vectors)),
                build_seconds=seconds,
                index_bytes=index.size_bytes(),
                recall=recall(index.search(queries, workload.k), exact),
                search=tuple(
                    Repeats(batch_size=batch, samples_ms=samples[name, batch])
                    for batch in workload.batches
                ),
            )


def _index(name: IndexName, gallery: Tensor) -> Index:
    return ExactIndex(gallery) if name == "exact" else FaissIndex(name, gallery)


def _pass(index: Index, batches: tuple[Tensor, ...], workload: SearchWorkload) -> float:
    def answer(batch: Tensor) -> None:
        index.search(batch, workload.k)

    return pass_ms(answer, batches, len, workload.seconds)
