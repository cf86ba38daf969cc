"""Several devices in one trial: what is refused, and that it trains as one device does."""

import multiprocessing
import os
import select
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from trials import MODELS, dataset, run, spec, with_test

from harness.engine.advice import ADVICE_FILE
from harness.engine.devices import check_devices, check_model
from harness.engine.together import Together
from harness.engine.trial import CHECKPOINT_FILE
from harness.spec import BadInput, LossTerm, Runtime, VariantRef

DATA = dataset()
# Two devices draw other units to drop than one does.
STUDENT = VariantRef(**MODELS["student"], dropout=0.0, levels=7)
TEACHER = VariantRef(**MODELS["teacher"], dropout=0.0)


def spec64(role="student", **changes):
    model = STUDENT if role == "student" else TEACHER
    return spec(role, model=model, **({"precision": "64-true", "max_epochs": 2} | changes))


def test_more_devices_than_there_are_are_refused():
    with pytest.raises(
        BadInput, match=r"runtime.devices: expected at most .* of cpu here, given 100000"
    ):
        check_devices(Runtime(devices=100_000))


def test_a_strategy_that_takes_models_apart_is_refused():
    with pytest.raises(BadInput, match=r"runtime.strategy: .*'fsdp'; expected auto, ddp, ddp_spawn"):
        check_devices(Runtime(strategy="fsdp"))


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_a_loss_that_compares_clips_is_refused_on_several_devices_and_fine_on_one(two_cores):
    what = spec(losses={"rkd_distance": LossTerm()}, teacher=spec("teacher"))
    with pytest.raises(BadInput, match="'rkd_distance' compares the clips of a batch"):
        check_devices(Runtime(devices=2), [spec(), what])
    assert check_devices(Runtime(devices=1), [what]) == torch.device("cpu")


def test_a_loss_that_remembers_clips_is_refused_on_several_devices(two_cores):
    what = spec(losses={"unimodal_labels": LossTerm()})
    with pytest.raises(BadInput, match="'unimodal_labels' remembers training clips"):
        check_devices(Runtime(devices=2), [what])
    assert check_devices(Runtime(devices=1), [what]) == torch.device("cpu")


def test_the_losses_of_a_teacher_count_where_it_is_trained_along(two_cores):
    teacher = spec("teacher", losses={"rkd_distance": LossTerm()})
    losses = {"task_l1": LossTerm(), "step2": LossTerm()}
    check_devices(Runtime(devices=2), [spec(losses=losses, teacher=teacher)])
    with pytest.raises(BadInput, match="rkd_distance"):
        check_devices(Runtime(devices=2), [spec(losses=losses, teacher=teacher, schedule="joint")])


def test_a_model_that_normalises_over_a_batch_is_refused_on_several_devices():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    check_model(1, model)
    with pytest.raises(ValueError, match="'1' normalises over the clips of a batch"):
        check_model(2, model)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8])
def test_shares_are_the_batch_and_differ_by_one_clip(count):
    index = torch.randperm(count)
    seats = [Together(SimpleNamespace(world_size=3, global_rank=rank), None) for rank in range(3)]
    own = [seat.share(index) for seat in seats if not seat.is_guest(index)]
    assert torch.cat(own).equal(index)
    assert max(map(len, own)) - min(map(len, own)) <= 1
    assert all(len(seat.share(index)) for seat in seats)


def assert_alike(what, folder, *advice, near=1e-9):
    one = run(what, folder / "one", DATA, *advice)
    two = run(what, folder / "two", DATA, *advice, devices=2)
    assert [one.result.state, two.result.state] == ["complete", "complete"], two.result.failure
    weights = [load_file(done.files[CHECKPOINT_FILE]) for done in (one, two)]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, atol=near, rtol=0)
    # Scores and losses are handed on in single precision, whatever they were computed in.
    assert two.result.metrics == pytest.approx(one.result.metrics, abs=1e-6)
    for ours, theirs in zip(two.result.epochs, one.result.epochs, strict=True):
        assert ours.metrics == pytest.approx(theirs.metrics, abs=1e-6)
    assert "trained on 2 devices" in two.result.notes
    return two


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "near"), [("64-true", 1e-9), ("32-true", 1e-5)])
def test_two_devices_train_to_the_weights_of_one_also_when_a_batch_has_one_clip(
    precision, near, tmp_path
):
    # 24 clips in batches of 23: the second device has nothing of its own in the last.
    assert_alike(spec64(batch_size=23, precision=precision), tmp_path, near=near)


@pytest.mark.slow
def test_two_devices_weigh_terms_by_the_labelled_clips_of_each(tmp_path):
    teacher = spec64("teacher", max_epochs=1)
    advice = run(teacher, tmp_path / "teacher", DATA).files[ADVICE_FILE]
    losses = {"task_l1": LossTerm(), "kl": LossTerm()}
    # Of 24 clips 2 are labelled: most batches of 5 have none, and then no gradient for the score.
    few = spec64(losses=losses, teacher=teacher, labelled_fraction=0.1, batch_size=5)
    assert_alike(few, tmp_path, advice)


@pytest.mark.slow
def test_two_devices_train_student_and_teacher_along(tmp_path):
    teacher = spec64("teacher", losses={"task_ce": LossTerm(), "step1": LossTerm()})
    losses = {"task_l1": LossTerm(), "step2": LossTerm()}
    assert_alike(spec64(losses=losses, teacher=teacher, schedule="joint", batch_size=7), tmp_path)


@pytest.mark.slow
def test_calls_of_the_caller_stay_with_him_and_an_interrupted_trial_goes_on(tmp_path):
    what, seen = spec64(max_epochs=4), []

    def stop(epoch, metrics):
        seen.append(epoch)
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(what, tmp_path / "cut", DATA, on_epoch=stop, devices=2)
    assert multiprocessing.active_children() == []
    done = run(
        what,
        tmp_path / "cut",
        DATA,
        on_epoch=lambda epoch, metrics: seen.append(epoch),
        is_hopeless=lambda epochs: len(epochs) == 3,
        devices=2,
    )
    assert seen == [0, 1, 0, 1, 2]
    assert (done.result.state, len(done.result.epochs)) == ("pruned", 3)
    straight = run(what, tmp_path / "straight", DATA, devices=2)
    assert straight.result.epochs[:3] == done.result.epochs


@pytest.mark.slow
def test_a_killed_device_is_the_trials_failure_and_leaves_no_process(tmp_path):
    def kill(epoch, metrics):
        second = next(p for p in multiprocessing.active_children() if p.name == "device 1")
        os.kill(second.pid, signal.SIGKILL)

    result = run(spec64(max_epochs=30), tmp_path, DATA, on_epoch=kill, devices=2).result
    assert result.state == "failed"
    assert result.failure.message == "the process of device 1 was killed by signal 9"
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_what_a_device_raises_is_the_trials_failure_with_its_traceback(tmp_path):
    broken = with_test(DATA, target=torch.full_like(DATA.test.target, torch.nan))
    result = run(spec64(max_epochs=1), tmp_path, broken, devices=2).result
    assert result.state == "failed"
    assert "_evaluate" in result.failure.traceback
    assert multiprocessing.active_children() == []


ORPHANS = """
import multiprocessing, sys
from pathlib import Path
from trials import run, spec

def tell(epoch, metrics):
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    run(spec(max_epochs=100000, patience=100000), Path(sys.argv[1]), devices=2, on_epoch=tell)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a stranger's end as Linux does")
def test_no_process_outlives_the_one_that_asked_for_the_trial(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    where = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(script), str(tmp_path)]
    with subprocess.Popen(command, env=where, stdout=subprocess.PIPE, text=True) as asking:
        devices = [os.pidfd_open(int(pid)) for pid in asking.stdout.readline().split()]
        asking.kill()
    assert len(devices) == 2
    for device in devices:
        ended, _, _ = select.select([device], [], [], 30)
        os.close(device)
        assert ended
