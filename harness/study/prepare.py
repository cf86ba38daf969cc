"""What is checked before anything is trained: models, data, and whether they fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.contracts import ChecksData, Reader
from harness.engine.devices import check_devices
from harness.engine.gallery import absent_classes, check_galleries
from harness.registry import DATASETS
from harness.spec import LOCATION_KEYS, BadInput, ModelConfig, RayLaunch, Study, TrialSpec, VariantRef
from harness.study.expand import Cell, models
from harness.study.watch import Watcher
from harness.types import Dataset

T = TypeVar("T")


def prepared_readers(cells: tuple[Cell, ...]) -> dict[VariantRef, Reader]:
    """A reader for each data set of the cells, its data made if it is made here.

    Raises:
        BadInput: with key ``data``.
    """
    readers: dict[VariantRef, Reader] = {}
    for cell in cells:
        for spec in (cell.spec, cell.spec.teacher):
            if spec is not None and spec.data not in readers:
                reader: Reader = DATASETS.build(spec.data)
                _keyed(reader.prepare)
                readers[spec.data] = reader
    return readers


def load_checked(
    study: Study, readers: dict[VariantRef, Reader], cells: tuple[Cell, ...], watcher: Watcher
) -> dict[VariantRef, Dataset]:
    """The data sets, after a look at whether every model can be trained on what its clips have.

    Raises:
        BadInput: keyed by the arm and the part of it that cannot be; or a device that is not there.
    """
    if not isinstance(study.launch, RayLaunch):
        # On a cluster the devices are the nodes', where every trial looks for them.
        check_devices(study.runtime, [spec for _, spec, _ in models(cells)])
    _check_models(cells)
    loaded = {}
    for ref, reader in readers.items():
        data = _keyed(reader.load)
        watcher.found(ref.name, (*data.findings, *absent_classes(data)))
        _check_galleries(ref, data)
        loaded[ref] = data
    for arm, spec, config in models(cells):
        try:
            _check_data(spec, config, loaded[spec.data])
        except BadInput as fault:
            raise fault.at(key=f"arms.{arm}.{spec.role}.model") from fault
    return loaded


def _check_galleries(ref: VariantRef, data: Dataset) -> None:
    try:
        check_galleries(data)
    except BadInput as fault:
        raise BadInput(f"{ref.name}: {fault.message}", key="data") from fault


def _check_data(spec: TrialSpec, config: ModelConfig, data: Dataset) -> None:
    """Whether the clips have what the model takes of them."""
    model, views = spec.model.name, data.info.views
    if not config.needs() <= views:
        raise BadInput(
            f"{model} needs the views {', '.join(sorted(config.needs() - views))}; "
            f"{spec.data.name} has {', '.join(sorted(views))}"
        )
    if isinstance(config, ChecksData):
        config.check_data(data.info)
    taken = config.frames_taken()
    there = [split.frames.lengths.min() for split in (data.train, data.valid, data.test) if split.frames]
    if taken is not None and there and taken > int(min(there)):
        raise BadInput(
            f"{model} takes {taken} frames of every clip, and {spec.data.name} has clips of "
            f"{int(min(there))}; of n frames those at floor((i + 1/2) n / {taken}) are taken, none twice"
        )
    videos = len(set(data.train.video_ids))
    if spec.folds > videos:
        raise BadInput(f"{spec.folds} folds, and {spec.data.name} has {videos} training videos")


def _check_models(cells: tuple[Cell, ...]) -> None:
    checked: list[tuple[str, ModelConfig]] = []
    for arm, spec, config in models(cells):
        if (spec.model.name, config) not in checked:
            try:
                config.check()
            except BadInput as fault:
                raise fault.at(key=f"arms.{arm}.{spec.role}.model") from fault
            checked.append((spec.model.name, config))


def _keyed(step: Callable[[], T]) -> T:
    try:
        return step()
    except BadInput as fault:
        # A key inside a data file is that file's; only the path and the parameters are the study's.
        ours = not fault.file or fault.key in LOCATION_KEYS
        raise (fault.at(key="data") if ours else fault) from fault
