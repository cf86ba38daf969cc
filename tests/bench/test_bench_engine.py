"""How long one step of training takes: forward, losses, backward, clipping and AdamW under Fabric."""

import math

import pytest
import torch
from lightning_fabric import Fabric
from toy import Toy, ToyConfig
from toy_events import ToyEvents, ToyEventsConfig
from trials import spec

from harness.contracts import Tokenises
from harness.engine.optimiser import adamw
from harness.engine.terms import build_terms
from harness.engine.training_step import Clips, Learner, TrainingStep
from harness.registry import BUILTIN_PACKAGES, STUDENTS, discover
from harness.spec import LossTerm
from harness.types import Outputs

pytestmark = pytest.mark.bench
MINI_BATCH = 32

discover()


TERMS = {
    "sentiment": (("task_l1",), ("task_l1", "step2")),
    "retrieval": (("modal_ce",), ("modal_ce", "match_step2")),
}
ADVICE = Outputs(torch.zeros(MINI_BATCH), match=torch.zeros(MINI_BATCH, 4))
CLIPS = {
    "sentiment": Toy(ToyConfig(train=MINI_BATCH)).load(),
    "retrieval": ToyEvents(ToyEventsConfig(train=MINI_BATCH)).load(),
}


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        pytest.param(entry, names, id=f"{entry.name}-{'+'.join(names)}")
        for entry in STUDENTS
        if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
        for names in TERMS[entry.config.task]
    ],
)
def test_one_step_of_a_student(timed, entry, names):
    torch.manual_seed(0)
    data = CLIPS[entry.config.task]
    student = entry.builder(entry.tiny_config(), data.info)
    fabric = Fabric(accelerator="cpu", devices=1)
    teacher = spec("teacher") if len(names) > 1 else None
    what = spec(losses={name: LossTerm() for name in names}, teacher=teacher)
    step = TrainingStep(Learner(what, student, build_terms(what, data.info)))
    module, optimiser = fabric.setup(step, adamw(step))
    batch = student.tokenise(data.train) if isinstance(student, Tokenises) else data.train
    clips = Clips(batch, ADVICE)
    module.train()

    def once():
        total = step.total(module(clips), epochs=1)
        optimiser.zero_grad()
        fabric.backward(total)
        fabric.clip_gradients(module, optimiser, max_norm=1.0)
        optimiser.step()
        return float(total.detach())

    before = [weights.detach().clone() for weights in module.parameters()]
    assert math.isfinite(timed("training", once))
    assert any(not now.equal(then) for now, then in zip(module.parameters(), before, strict=True))
