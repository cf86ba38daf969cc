"""How long the smallest version of each model takes for one clip."""

import pytest
import torch
from contract import clips_of, ready, ready_to_use, told

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


@every_model
def test_one_clip(timed, entry):
    config = entry.tiny_config()
    model = ready_to_use(entry, config)
    clip = ready(model, clips_of(config.task, 1))

    @torch.inference_mode()
    def once():
        return model(clip)

    assert all(value.isfinite().all() for value in told(timed("operators", once)))
