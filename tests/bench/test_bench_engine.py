"""How long one step of training takes: forward, losses, backward, clipping and AdamW under Fabric."""

import pytest
import torch
from lightning_fabric import Fabric
from torch.optim import AdamW
from toy import Toy, ToyConfig

from harness.engine.loop import Clips, TrainingStep, Weighted
from harness.registry import BUILTIN_PACKAGES, LOSSES, STUDENTS, discover
from harness.spec import VariantRef
from harness.types import Outputs, Tokenises

pytestmark = pytest.mark.bench
MINI_BATCH = 32

discover()


@pytest.fixture(scope="module")
def data():
    return Toy(ToyConfig(train=MINI_BATCH)).load()


def losses(info, *names):
    return {name: Weighted(1.0, LOSSES.build(VariantRef(name=name), info)) for name in names}


@pytest.mark.parametrize("names", [("task_l1",), ("task_l1", "step2")], ids="+".join)
@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(entry, id=entry.name)
        for entry in STUDENTS
        if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
    ],
)
def test_one_step_of_a_student(benchmark, data, entry, names):
    torch.manual_seed(0)
    student = entry.builder(entry.tiny_config(), data.info)
    fabric = Fabric(accelerator="cpu", devices=1)
    step = TrainingStep(student, losses(data.info, *names))
    module, optimiser = fabric.setup(step, AdamW(step.parameters(), lr=1e-3))
    batch = student.tokenise(data.train) if isinstance(student, Tokenises) else data.train
    clips = Clips(batch, Outputs(torch.zeros(MINI_BATCH)))
    module.train()

    def once():
        total = step.total(module(clips))
        optimiser.zero_grad()
        fabric.backward(total)
        fabric.clip_gradients(module, optimiser, max_norm=1.0)
        optimiser.step()
        return float(total.detach())

    first = once()
    assert benchmark(once) < first
