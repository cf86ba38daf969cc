"""Labels of single modalities beside the memory of the peer's trainer, over some epochs."""

from types import SimpleNamespace

import pytest
import torch
from MMSA.trains.multiTask.SELF_MM import SELF_MM as PeerTrainer  # noqa: N811 - an acronym, no constant
from torch.testing import assert_close

from harness.losses.unimodal_labels import MODALITIES, UnimodalLabels, UnimodalLabelsConfig
from harness.types import Batch, DataInfo, Outputs

pytestmark = pytest.mark.peer

COUNT, SIZE = 40, 7
WIDTHS = {"fusion": 6, "text": 5, "audio": 4, "vision": 3}


def clips():
    draw = torch.Generator().manual_seed(0)
    target = (torch.rand(COUNT, generator=draw) * 6 - 3).round(decimals=1)
    target[:3] = 0
    names = tuple(f"clip{row}" for row in range(COUNT))
    return Batch(names, names, target)


def peer(target):
    sizes = {
        f"post_{'video' if name == 'vision' else name}_dim": width for name, width in WIDTHS.items()
    }
    trainer = PeerTrainer(
        SimpleNamespace(
            train_mode="regression",
            dataset_name="mosi",
            train_samples=COUNT,
            device="cpu",
            excludeZero=True,
            H=3.0,
            **sizes,
        )
    )
    trainer.init_labels(torch.arange(COUNT), target)
    return trainer


def said(count, draw):
    def tensor(*shape):
        return torch.randn(*shape, generator=draw)

    parts = {f"{name}_vector": tensor(count, width) for name, width in WIDTHS.items()}
    parts |= {f"{name}_score": tensor(count) for name in MODALITIES}
    return Outputs(tensor(count), parts=parts)


def step_of(trainer, outputs, index, epoch):
    """What the peer's loop does of a batch, in its order."""
    errors = [
        trainer.weighted_loss(outputs.part(f"{name}_score"), trainer.label_map[name][index], index, name)
        for name in MODALITIES
    ]
    vectors = [outputs.part(f"{name}_vector") for name in WIDTHS]
    if epoch > 1:
        trainer.update_labels(*vectors, epoch, index, None)
    trainer.update_features(*vectors, index)
    trainer.update_centers()
    return torch.stack(errors).sum()


def test_losses_and_labels_are_the_peers_in_every_step_of_four_epochs():
    data, draw = clips(), torch.Generator().manual_seed(1)
    info = DataInfo("sentiment", (-3.0, 3.0), frozenset({"text", "vision", "audio"}))
    loss, trainer = UnimodalLabels(UnimodalLabelsConfig(distance="peer"), info), peer(data.target)
    loss.adapt(said(2, draw), None, data)
    for epoch in range(1, 5):
        for index in torch.randperm(COUNT, generator=draw).split(SIZE):
            outputs = said(len(index), draw)
            found = loss(outputs, data.take(index), None)
            assert_close(found, step_of(trainer, outputs, index, epoch), atol=1e-5, rtol=1e-5)
            theirs = torch.stack([trainer.label_map[name] for name in MODALITIES])
            assert_close(loss.made, theirs, atol=1e-4, rtol=1e-4)
    assert not theirs[0].isclose(data.target, atol=0.1).all()
