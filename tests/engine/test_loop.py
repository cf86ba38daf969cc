"""The training loop: what it selects, when it stops, how it goes on after being killed."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from trials import dataset, run, spec, with_test

from harness.engine.loop import learning_rate_factor
from harness.registry import LOSSES
from harness.spec import LossConfig, LossTerm


class Killed(BaseException):
    """What SIGKILL would do, as far as Python can."""


def scores(finished):
    return finished.predictions.set_index("id")["score"]


@pytest.mark.parametrize("role", ["student", "teacher", "baseline"])
def test_eight_clips_can_be_learnt_by_heart(role, tmp_path):
    data = dataset(train=8, noise=0.0)
    data = type(data)(train=data.train, valid=data.train, test=data.train, info=data.info)
    what = spec(role, max_epochs=150, patience=150, learning_rate=1e-2, weight_decay=0.0)
    assert run(what, tmp_path, data).result.metrics["val/mae"] < 0.35


@pytest.mark.parametrize("role", ["student", "teacher", "baseline"])
def test_the_same_seed_gives_the_same_bits(role, tmp_path):
    first, second = run(spec(role), tmp_path / "1"), run(spec(role), tmp_path / "2")
    assert scores(first).equals(scores(second))
    assert first.result.epochs == second.result.epochs


def test_another_seed_gives_other_numbers(tmp_path):
    assert not scores(run(spec(), tmp_path / "1")).equals(scores(run(spec(seed=1), tmp_path / "2")))


@pytest.mark.parametrize("role", ["student", "teacher", "baseline"])
@pytest.mark.parametrize("last_epoch", [0, 2])
def test_a_killed_run_continues_to_the_same_bits(role, last_epoch, tmp_path):
    def kill(epoch, metrics):
        if epoch == last_epoch:
            raise Killed

    whole = run(spec(role, max_epochs=5), tmp_path / "whole")
    with pytest.raises(Killed):
        run(spec(role, max_epochs=5), tmp_path / "killed", on_epoch=kill)
    seen = []
    resumed = run(spec(role, max_epochs=5), tmp_path / "killed", on_epoch=lambda e, m: seen.append(e))
    assert scores(resumed).equals(scores(whole))
    assert resumed.result.epochs == whole.result.epochs
    assert seen == [record.epoch for record in whole.result.epochs]


def test_test_labels_change_no_prediction(tmp_path):
    data = dataset()
    permuted = with_test(data, target=data.test.target.flip(0))
    plain, other = run(spec(), tmp_path / "1", data), run(spec(), tmp_path / "2", permuted)
    assert scores(plain).equals(scores(other))
    assert plain.result.best_epoch == other.result.best_epoch
    assert plain.result.metrics["test/mae"] != other.result.metrics["test/mae"]


def test_the_epoch_with_the_best_validation_error_is_kept(tmp_path):
    result = run(spec(max_epochs=8, learning_rate=2e-2), tmp_path).result
    errors = [record.metrics["val/mae"] for record in result.epochs]
    assert result.best_epoch == errors.index(min(errors))
    assert result.metrics["val/mae"] == min(errors)


def test_the_monitor_decides_and_its_direction_with_it(tmp_path):
    result = run(spec(max_epochs=6, learning_rate=2e-2, monitor="val/corr"), tmp_path).result
    values = [record.metrics["val/corr"] for record in result.epochs]
    assert result.best_epoch == values.index(max(values))


def test_training_stops_once_patience_is_over(tmp_path):
    result = run(spec(max_epochs=60, patience=2, learning_rate=5e-2), tmp_path).result
    assert len(result.epochs) < 60
    assert len(result.epochs) - 1 - result.best_epoch == 2


def test_a_monitor_that_the_protocol_does_not_define_fails_the_trial(tmp_path):
    result = run(spec(monitor="val/acc5", protocol="mag_bert"), tmp_path).result
    assert result.state == "failed"
    assert "val/acc5" in result.failure.message


@pytest.mark.parametrize(("precision", "near"), [("64-true", 1e-4), ("bf16-mixed", 0.3)])
def test_other_precisions_train_to_nearby_numbers(precision, near, tmp_path):
    single = scores(run(spec(), tmp_path / "1"))
    other = scores(run(spec(precision=precision), tmp_path / "2"))
    assert (single - other).abs().max() < near


def test_a_loss_that_turns_nan_fails_the_trial_by_name_and_step(tmp_path):
    with LOSSES.temporary():

        @LOSSES.register("broken", config=LossConfig, paper="made for the tests", tiny={})
        class Broken(nn.Module):
            def __init__(self, config, info):
                super().__init__()
                self.calls = 0

            def forward(self, outputs, batch, advice):
                self.calls += 1
                return outputs.score.mean() * (math.nan if self.calls == 5 else 1.0)

        losses = {"task_l1": LossTerm(), "broken": LossTerm(weight=0.1)}
        result = run(spec(losses=losses), tmp_path).result
    assert result.state == "failed"
    assert "'broken' became nan at epoch 1, step 1" in result.failure.message
    assert "Traceback" in result.failure.traceback


def test_the_last_smaller_batch_is_trained_on(tmp_path):
    seen = []
    with LOSSES.temporary():

        @LOSSES.register("counting", config=LossConfig, paper="made for the tests", tiny={})
        class Counting(nn.Module):
            def __init__(self, config, info):
                super().__init__()

            def forward(self, outputs, batch, advice):
                seen.extend(batch.ids)
                return outputs.score.square().mean()

        what = spec(losses={"counting": LossTerm()}, batch_size=10, max_epochs=1)
        data = dataset()
        run(what, tmp_path, data)
    assert sorted(seen) == sorted(data.train.ids)


def test_the_rate_rises_linearly_and_falls_as_a_cosine():
    factors = [learning_rate_factor(step, steps=110, warmup=10) for step in range(111)]
    assert factors[:10] == [pytest.approx(share / 10) for share in range(1, 11)]
    assert factors[60] == pytest.approx(0.5)
    assert factors[110] == pytest.approx(0.0)
    assert all(earlier >= later for earlier, later in pairwise(factors[10:]))


def test_without_warm_up_the_rate_starts_at_its_peak():
    assert learning_rate_factor(0, steps=10, warmup=0) == 1.0


def test_weights_move_no_further_than_a_clipped_gradient_lets_them(tmp_path):
    from harness.engine.assembly import build_model

    data = dataset()
    before = torch.nn.utils.parameters_to_vector(build_model(spec(), data).parameters())
    what = spec(clip_norm=1e-12, weight_decay=0.0, max_epochs=1, learning_rate=1e-6)
    finished = run(what, tmp_path, data)
    from safetensors.torch import load_model

    after = build_model(what, data)
    load_model(after, finished.files["checkpoint.safetensors"])
    moved = torch.nn.utils.parameters_to_vector(after.parameters()) - before
    assert moved.abs().max() < 1e-4
