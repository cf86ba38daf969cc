"""What holds of every registered baseline, in each way that it can be configured to read a clip."""

from dataclasses import replace
from typing import get_args

import pytest
import torch
from contract import build, clips, longer, ready, ways
from torch.testing import assert_close

from harness.registry import BASELINES
from harness.spec import OutputName
from harness.types import Padded

every_baseline = pytest.mark.parametrize(("entry", "config"), list(ways(BASELINES)))


def altered(batch, view):
    """The same clips with something else to see in one view."""
    if view == "transcript":
        return replace(batch, transcripts=tuple(f"superb {text}" for text in batch.transcripts))
    sequence = getattr(batch, view)
    if view == "token_ids":
        return replace(batch, token_ids=Padded(sequence.values + 1 * sequence.mask, sequence.mask))
    moved = sequence.values + 1 - 3 * sequence.values.roll(1, -1)
    return replace(batch, **{view: Padded(moved * sequence.mask.unsqueeze(2), sequence.mask)})


@every_baseline
def test_it_fills_the_outputs_that_it_declares(entry, config):
    outputs = build(entry, config)(ready(build(entry, config), clips()))
    given = {name for name in get_args(OutputName) if getattr(outputs, name) is not None}
    assert given == config.gives()


@every_baseline
def test_it_gives_the_parts_that_it_declares_while_it_is_trained_and_only_then(entry, config):
    model = build(entry, config)
    batch = replace(ready(model, clips()), intact=ready(model, clips()))
    assert not model.eval()(batch).parts
    assert model.train()(batch).parts.keys() == config.parts()
    assert all(len(part) == len(batch) for part in model(batch).parts.values())


@every_baseline
def test_it_gives_a_finite_score_a_clip(entry, config):
    model = build(entry, config)
    score = model(ready(model, clips())).score
    assert score.shape == (8,)
    assert score.isfinite().all()


@every_baseline
def test_it_says_the_same_twice(entry, config):
    model = build(entry, config)
    batch = ready(model, clips())
    assert model(batch).score.equal(model(batch).score)


@every_baseline
def test_a_clip_gets_the_same_score_alone_as_among_others(entry, config):
    model = build(entry, config)
    together = model(ready(model, clips())).score
    for row in range(len(together)):
        alone = model(ready(model, clips().take(torch.tensor([row]))))
        assert_close(alone.score, together[row : row + 1])


@every_baseline
def test_padding_does_not_change_the_score(entry, config):
    if not getattr(config, "ignores_padding", lambda: True)():
        pytest.skip("it says that padding counts")
    model = build(entry, config)
    batch = ready(model, clips())
    assert_close(model(longer(batch)).score, model(batch).score)


@every_baseline
def test_every_view_that_it_declares_counts(entry, config):
    # A narrow rectified layer can be born dead, so some of five initialisations must react.
    for view in config.needs():
        assert any(reacts(build(entry, config, seed), view) for seed in range(5)), view


def reacts(model, view):
    told = model(ready(model, clips())).score
    return not model(ready(model, altered(clips(), view))).score.equal(told)


@every_baseline
def test_it_sees_nothing_that_it_does_not_declare(entry, config):
    model = build(entry, config)
    assert model(ready(model, clips().only(config.needs()))).score.equal(
        model(ready(model, clips())).score
    )


@every_baseline
def test_a_clip_without_a_single_step_has_a_finite_score(entry, config):
    model = build(entry, config)
    views = {name: getattr(clips(), name) for name in ("text", "vision", "audio", "frames")}
    silent = {
        name: Padded(torch.zeros_like(view.values), torch.zeros_like(view.mask))
        for name, view in views.items()
    }
    batch = replace(clips(), transcripts=("",) * 8, **silent)
    assert model(ready(model, batch)).score.isfinite().all()
