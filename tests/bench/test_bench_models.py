"""How long the smallest version of each model takes for one clip."""

import pytest
import torch
from toy import Toy, ToyConfig

from harness.contracts import Tokenises
from harness.registry import BASELINES, BUILTIN_PACKAGES, STUDENTS, TEACHERS, discover

pytestmark = pytest.mark.bench

discover()
every_model = pytest.mark.parametrize(
    "entry",
    [
        pytest.param(entry, id=f"{entry.kind}-{entry.name}")
        for registry in (TEACHERS, STUDENTS, BASELINES)
        for entry in registry
        if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
    ],
)


@pytest.fixture(scope="module")
def data():
    return Toy(ToyConfig()).load()


@every_model
@torch.inference_mode()
def test_one_clip(benchmark, data, entry):
    model = entry.builder(entry.tiny_config(), data.info).eval()
    clip = data.test.take(torch.tensor([0]))
    ready = model.tokenise(clip) if isinstance(model, Tokenises) else clip
    assert benchmark(model, ready).score.isfinite().all()
