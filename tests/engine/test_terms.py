"""The terms of a loss: what each is handed, and what it weighs."""

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import nn
from trials import dataset, run, spec

from harness.engine.terms import adapt, build_terms
from harness.registry import LOSSES
from harness.spec import LossConfig, LossTerm, VariantRef
from harness.types import Outputs

DATA = dataset()
BATCH = DATA.train.take(torch.arange(8))
TERMS = {"task_l1": LossTerm(weight=0.5), "step2": LossTerm(weight=2.0, warmup_epochs=4)}


def outputs(offset=0.0):
    return Outputs(BATCH.target + offset + torch.arange(8.0))


def test_the_sum_is_weighted():
    terms = build_terms(spec(losses=TERMS, teacher=spec("teacher")), DATA.info)
    found = terms(outputs(), BATCH, outputs(offset=1.0))
    assert float(found["task_l1"]) == pytest.approx(3.5)
    assert float(found["step2"]) == pytest.approx(1.0)
    assert float(terms.total(found, epochs=10)) == pytest.approx(0.5 * 3.5 + 2.0 * 1.0)


@pytest.mark.parametrize(
    ("epochs", "weight"), [(0.0, 0.0), (1.0, 0.5), (3.0, 1.5), (4.0, 2.0), (9, 2.0)]
)
def test_a_weight_rises_linearly_over_its_warm_up(epochs, weight):
    terms = build_terms(spec(losses=TERMS, teacher=spec("teacher")), DATA.info)
    assert terms.weighted["step2"].weight(epochs) == weight
    assert terms.weighted["task_l1"].weight(epochs) == 0.5


def test_a_loss_of_labels_is_over_labelled_clips_and_one_of_advice_over_all():
    labelled = torch.tensor([True, False, False, True, False, False, False, False])
    batch = replace(BATCH, labelled=labelled, target=BATCH.target.where(labelled, torch.nan))
    said = outputs()
    terms = build_terms(spec(losses=TERMS, teacher=spec("teacher")), DATA.info)
    found = terms(said, batch, Outputs(said.score + 2))
    assert float(found["task_l1"]) == pytest.approx((0 + 3) / 2)
    assert float(found["step2"]) == pytest.approx(4.0)
    assert (terms.clips("task_l1", batch), terms.clips("step2", batch)) == (2, 8)


def test_a_batch_without_labels_has_no_term_that_reads_them():
    batch = replace(BATCH, labelled=torch.zeros(8, dtype=torch.bool))
    terms = build_terms(spec(losses=TERMS, teacher=spec("teacher")), DATA.info)
    assert set(terms(outputs(), batch, outputs())) == {"step2"}


@pytest.fixture
def widths():
    """A loss with a weight as wide as the embedding, and what it saw when it was made."""
    seen = []
    with LOSSES.temporary():

        class Config(LossConfig):
            """No parameters."""

            needs: ClassVar = frozenset({"embedding"})

        @LOSSES.register("widths", config=Config, paper="made for the tests", tiny={})
        class Widths(nn.Module):
            def __init__(self, config, info):
                super().__init__()

            def adapt(self, outputs, advice, clips):
                self.line = nn.Linear(outputs.embedding.shape[1], 1)
                seen.append((self.line, self.line.weight.detach().clone(), clips))

            def forward(self, outputs, batch, advice):
                return self.line(outputs.embedding).square().mean()

        yield seen


def test_the_parameters_of_a_loss_are_made_once_and_trained(widths, tmp_path):
    losses = {"task_l1": LossTerm(), "widths": LossTerm()}
    done = run(spec(losses=losses), tmp_path, DATA)
    assert done.result.state == "complete"
    ((line, before, clips),) = widths
    assert line.in_features == 16
    assert clips.ids == DATA.train.ids
    assert not line.weight.equal(before)


def test_the_parameters_of_a_loss_are_no_part_of_what_a_student_costs(widths, tmp_path):
    plain = run(spec(), tmp_path / "plain", DATA)
    fitted = run(spec(losses={"widths": LossTerm()}), tmp_path / "fitted", DATA)
    assert plain.result.efficiency.parameters == fitted.result.efficiency.parameters


def test_the_parameters_of_a_loss_follow_from_the_seed(widths):
    for seed in (0, 0, 1):
        terms = build_terms(spec(losses={"widths": LossTerm()}), DATA.info)
        adapt(terms, Outputs(torch.zeros(2), embedding=torch.zeros(2, 5)), None, DATA.train, seed)
    first, again, other = (weight for _, weight, _ in widths)
    assert first.equal(again)
    assert not first.equal(other)


def test_an_interrupted_trial_keeps_the_parameters_of_its_losses(widths, tmp_path):
    what = spec(losses={"task_l1": LossTerm(), "widths": LossTerm()}, max_epochs=4, patience=4)
    whole = run(what, tmp_path / "whole", DATA)

    def stop(epoch, metrics):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(what, tmp_path / "cut", DATA, on_epoch=stop)
    resumed = run(what, tmp_path / "cut", DATA)
    assert resumed.predictions.equals(whole.predictions)


def test_showing_a_loss_what_the_model_says_leaves_no_trace_in_the_model(widths, tmp_path):
    # lf_dnn normalises by batch: it has running means that a look in training mode would move.
    model = VariantRef(name="lf_dnn")
    shown = {"task_l1": LossTerm(), "widths": LossTerm(weight=0.0)}
    looked = run(spec("baseline", model=model, losses=shown, clip_norm=None), tmp_path / "looked", DATA)
    bare = run(spec("baseline", model=model, clip_norm=None), tmp_path / "bare", DATA)
    assert looked.result.metrics == bare.result.metrics


def test_parts_are_computed_for_the_losses_that_read_them(tmp_path):
    model = VariantRef(name="misa", width=4, feedforward=4)
    losses = {"task_l1": LossTerm(), "cmd": LossTerm(), "code_reconstruction": LossTerm()}
    done = run(spec("baseline", model=model, losses=losses), tmp_path, DATA)
    assert done.result.failure is None
    assert all(record.metrics["train/cmd"] > 0 for record in done.result.epochs)
