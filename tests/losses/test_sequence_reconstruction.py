"""The error of generated sequences against NumPy and by hand."""

import numpy as np
import pytest
import torch
from loss_samples import DATA, clips

from harness.losses.sequence_reconstruction import (
    SequenceReconstruction,
    SequenceReconstructionConfig,
)
from harness.types import Outputs

VIEWS = ("text", "vision", "audio")
LENGTHS = {"text": (4, 2, 1), "vision": (3, 3, 3), "audio": (1, 0, 2)}
DRAW = np.random.default_rng(0)
GENERATED, TARGETS = (
    {view: DRAW.normal(size=(3, max(LENGTHS[view]), 2 + len(view))) for view in VIEWS} for _ in range(2)
)


def error(generated, targets, **weights):
    parts = {f"{view}_states": torch.tensor(generated[view]) for view in VIEWS}
    for view, target in targets.items():
        steps = np.arange(target.shape[1])
        missing = steps >= np.array(LENGTHS[view])[:, None]
        parts[f"{view}_target_states"] = torch.tensor(np.where(missing[..., None], np.nan, target))
    loss = SequenceReconstruction(SequenceReconstructionConfig(**weights), DATA.info)
    return loss(Outputs(torch.zeros(3), parts=parts), clips(3), None).item()


def expected(view):
    """Clip by clip, of the steps that it has."""
    apart = [
        np.mean((generated[:steps] - target[:steps]) ** 2) if steps else 0
        for generated, target, steps in zip(GENERATED[view], TARGETS[view], LENGTHS[view], strict=True)
    ]
    return np.mean(apart)


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_the_mean_over_clips_of_the_squared_error_over_their_steps(view):
    weights = {**dict.fromkeys(VIEWS, 0.0), view: 1.0}
    assert error(GENERATED, TARGETS, **weights) == pytest.approx(expected(view))


def test_modalities_count_as_they_are_weighted():
    found = error(GENERATED, TARGETS, text=0.5, vision=2.0, audio=0.01)
    weighted = 0.5 * expected("text") + 2 * expected("vision") + 0.01 * expected("audio")
    assert found == pytest.approx(weighted)


def test_what_was_there_costs_nothing_whatever_is_generated_behind_it():
    behind = {
        view: np.where(np.arange(target.shape[1])[:, None] >= min(LENGTHS[view]), 9.0, target)
        for view, target in TARGETS.items()
    }
    assert error(TARGETS, TARGETS) == 0
    assert error(behind, TARGETS) > 0
    after = {
        view: np.where(
            np.arange(t.shape[1])[None, :, None] >= np.array(LENGTHS[view])[:, None, None], 9, t
        )
        for view, t in TARGETS.items()
    }
    assert error(after, TARGETS) == 0


def test_no_gradient_reaches_what_was_there_or_what_is_generated_behind_it():
    generated = torch.zeros(1, 2, 3, requires_grad=True)
    target = torch.full((1, 2, 3), torch.nan)
    target[:, 0] = 1
    target.requires_grad_()
    parts = {f"{view}_states": generated for view in VIEWS}
    parts |= {f"{view}_target_states": target for view in VIEWS}
    loss = SequenceReconstruction(SequenceReconstructionConfig(), DATA.info)
    loss(Outputs(torch.zeros(1), parts=parts), clips(1), None).backward()
    assert target.grad is None
    assert generated.grad.tolist() == [[[-2.0] * 3, [0.0] * 3]]
