"""Losses with an opponent: who moves whose weights, and that a trial with one is as exact as any."""

import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.optim import SGD
from toy_events import ToyEvents, ToyEventsConfig
from trials import run, spec

from harness.engine.checkpoint import load_checkpoint
from harness.engine.devices import check_devices, one_device
from harness.engine.opponents import Opponents, opponents, opponents_adamw
from harness.engine.optimiser import adamw
from harness.engine.terms import adapt, build_terms
from harness.engine.training_step import Learner, TrainingStep
from harness.engine.trial import CHECKPOINT_FILE
from harness.registry import BASELINES, LOSSES, discover
from harness.spec import BadInput, LossTerm, Runtime, VariantRef

DATA = ToyEvents(ToyEventsConfig(train=24)).load()
MODEL = VariantRef(name="acmr", width=8, hidden=16, layers=2)
OPPONENT = "terms.losses.modality_adversarial."
LOSS = "train/modality_adversarial"


def events(weight=0.3, labels=True, **changes):
    losses = {"modal_ce": LossTerm()} if labels else {}
    fields = {
        "data": VariantRef(name="toy_events"),
        "protocol": "full",
        "model": MODEL,
        "losses": losses | {"modality_adversarial": LossTerm(weight=weight, hidden=8)},
        "learning_rate": 0.01,
    }
    return spec("baseline", **(fields | changes))


def training_step(what):
    discover()
    model = BASELINES.build(what.model, DATA.info)
    terms = build_terms(what, DATA.info)
    adapt(terms, model.train()(DATA.train), None, DATA.train, seed=0)
    return TrainingStep(Learner(what, model, terms))


def ids(optimiser):
    return {id(parameter) for group in optimiser.param_groups for parameter in group["params"]}


def kept(work):
    """The weights of the opponent, and those of the model, as the last epoch left them."""
    state = load_checkpoint(work / "resume.pt").model
    names = sorted(name for name in state if name.startswith(OPPONENT))
    return [state[name] for name in names], [state[name] for name in state if name not in names]


def same(found, expected):
    return all(one.equal(other) for one, other in zip(found, expected, strict=True))


def same_state(one, other):
    (rival, model), (other_rival, other_model) = kept(one), kept(other)
    return same(rival, other_rival) and same(model, other_model)


def test_every_weight_belongs_to_one_of_the_two_optimisers_and_the_opponents_to_its_own():
    step = training_step(events(learning_rate=0.02, weight_decay=0.3))
    ours, theirs = adamw(step), opponents_adamw(step)
    assert ids(ours) == {id(parameter) for parameter in step.model.parameters()}
    assert ids(theirs) == {id(parameter) for parameter in step.terms.parameters()}
    assert [(group["peak"], group["weight_decay"]) for group in theirs.param_groups] == [(0.02, 0.3)]


def test_without_a_loss_that_has_one_there_is_no_second_optimiser():
    assert opponents_adamw(training_step(events(losses={"modal_ce": LossTerm()}))) is None


def test_the_opponents_step_is_down_the_slope_of_its_own_loss_and_pulls_at_no_output():
    step = training_step(events())
    batch = DATA.train.take(torch.arange(8))
    outputs = step.model(batch)
    rivals = opponents(step.learner)
    own = list(rivals["modality_adversarial"].opponent())
    slopes = torch.autograd.grad(rivals["modality_adversarial"].opponent_loss(outputs, batch), own)
    before = [parameter.detach().clone() for parameter in own]
    fabric = one_device(torch.device("cpu"), "32-true")
    optimiser = fabric.setup_optimizers(SGD(own, lr=0.1))
    Opponents(fabric, optimiser).step(rivals.items(), outputs, batch)
    for found, start, slope in zip(own, before, slopes, strict=True):
        torch.testing.assert_close(found, start - 0.1 * slope)
    assert all(parameter.grad is None for parameter in step.model.parameters())


def test_in_mixed_precision_too_a_model_meets_its_opponent_after_that_ones_step(tmp_path):
    still = {"weight": 0.0, "labels": False, "weight_decay": 0.0, "learning_rate": 0.05}
    one_step = events(**still, max_epochs=1, warmup_fraction=0)
    first = replace(DATA, train=DATA.train.take(torch.arange(8)))
    found = [
        run(one_step.model_copy(update={"precision": name}), tmp_path / name, first).result
        for name in ("32-true", "bf16-mixed")
    ]
    # The step is worth 0.02, and the precision a hundredth of that.
    expected, mixed = (result.epochs[0].metrics[LOSS] for result in found)
    assert mixed == pytest.approx(expected, abs=2e-3)


def test_the_models_optimiser_never_moves_the_opponent(monkeypatch, tmp_path):
    monkeypatch.setattr(Opponents, "step", lambda self, losses, outputs, batch: None)
    run(events(max_epochs=1), tmp_path / "short", DATA)
    run(events(max_epochs=3), tmp_path / "long", DATA)
    (rival, model), (later_rival, later_model) = kept(tmp_path / "short"), kept(tmp_path / "long")
    assert same(later_rival, rival)
    assert len(rival) == 6
    assert not same(later_model, model)


def test_an_opponent_of_a_model_that_stands_still_learns(tmp_path):
    still = {"weight": 0.0, "labels": False, "weight_decay": 0.0, "learning_rate": 0.05}
    done = run(events(**still, max_epochs=6, patience=9), tmp_path / "long", DATA)
    surprises = [-epoch.metrics[LOSS] for epoch in done.result.epochs]
    assert surprises[-1] < 0.8 * surprises[0]
    run(events(**still, max_epochs=1), tmp_path / "short", DATA)
    (rival, model), (later_rival, later_model) = kept(tmp_path / "short"), kept(tmp_path / "long")
    assert same(later_model, model)
    assert not same(later_rival, rival)


def test_the_same_seed_gives_the_same_bits(tmp_path):
    first, second = (run(events(), tmp_path / name, DATA) for name in ("1", "2"))
    assert first.result.epochs == second.result.epochs
    assert same_state(tmp_path / "1", tmp_path / "2")


class Killed(BaseException):
    """What SIGKILL would do, as far as Python can."""


def test_a_trial_that_was_killed_goes_on_to_the_bits_of_one_that_was_not(tmp_path):
    def on_epoch(epoch, metrics):
        if epoch == 1:
            raise Killed

    what = events(max_epochs=4)
    with pytest.raises(Killed):
        run(what, tmp_path / "cut", DATA, on_epoch=on_epoch)
    resumed, whole = (run(what, tmp_path / name, DATA) for name in ("cut", "whole"))
    assert resumed.result.epochs == whole.result.epochs
    assert same_state(tmp_path / "cut", tmp_path / "whole")
    ours, theirs = (load_file(done.files[CHECKPOINT_FILE]) for done in (resumed, whole))
    assert same(ours.values(), theirs.values())


def test_what_is_kept_of_a_trained_model_has_nothing_of_its_opponent(tmp_path):
    model = load_file(run(events(max_epochs=1), tmp_path, DATA).files[CHECKPOINT_FILE])
    assert model.keys() == BASELINES.build(MODEL, DATA.info).state_dict().keys()


def test_an_opponent_whose_loss_is_no_number_ends_the_trial_with_its_name(monkeypatch, tmp_path):
    loss = LOSSES.get("modality_adversarial").builder
    monkeypatch.setattr(loss, "opponent_loss", lambda self, outputs, batch: torch.tensor(torch.nan))
    result = run(events(), tmp_path, DATA).result
    assert result.state == "failed"
    assert "the opponent of 'modality_adversarial' has a loss of nan" in result.failure.message


def test_an_opponent_is_refused_on_several_devices_and_fine_on_one(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(BadInput, match="'modality_adversarial' trains an opponent on the clips"):
        check_devices(Runtime(devices=2), [events()])
    assert check_devices(Runtime(devices=1), [events()]) == torch.device("cpu")


def test_the_weight_of_the_loss_is_no_matter_of_the_opponent(tmp_path):
    first = replace(DATA, train=DATA.train.take(torch.arange(8)))
    for weight in (0.0, 1.0):
        run(events(weight, max_epochs=1), tmp_path / str(weight), first)
    (rival, model), (other_rival, other_model) = kept(tmp_path / "0.0"), kept(tmp_path / "1.0")
    assert same(rival, other_rival)
    assert not same(model, other_model)


def test_in_one_loop_with_its_teacher_a_student_alone_has_an_opponent(tmp_path):
    teacher = spec(
        "teacher",
        data=VariantRef(name="toy_events"),
        protocol="full",
        model=VariantRef(name="match_score", joint_width=8),
        losses={"task_ce": LossTerm(), "match_regression": LossTerm()},
    )
    what = events(
        losses={name: LossTerm() for name in ("modal_ce", "modality_adversarial", "match_step2")},
        teacher=teacher,
        schedule="joint",
    )
    result = run(what, tmp_path, DATA).result
    assert result.failure is None
    assert {LOSS, "train/teacher/match_regression"} <= result.epochs[-1].metrics.keys()
