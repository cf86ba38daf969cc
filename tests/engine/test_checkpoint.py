"""What is on disk between two epochs: believed when it is whole, and as it was when a disk is full."""

import errno
import os

import pytest
import torch
from safetensors import SafetensorError
from trials import dataset, run, spec

from harness.engine import assembly
from harness.engine.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint
from harness.engine.faults import MachineFault, machine_fault
from harness.registry import LOSSES
from harness.spec import LossConfig, LossTerm

DATA = dataset()
WHAT = spec(max_epochs=4)


class Killed(BaseException):
    """What SIGKILL would do, as far as Python can."""


def kill_after(last):
    def on_epoch(epoch, metrics):
        if epoch == last:
            raise Killed

    return on_epoch


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(WHAT, tmp_path_factory.mktemp("whole"), DATA)


def cut_short(work, last=1):
    with pytest.raises(Killed):
        run(WHAT, work, DATA, on_epoch=kill_after(last))
    return work / "resume.pt"


def flipped(content):
    # In the middle lie tensors, of which torch itself would believe anything.
    return (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 1])
        + content[len(content) // 2 + 1 :]
    )


@pytest.mark.parametrize(
    "damage",
    [lambda c: c[:-100], lambda c: c[:50], lambda c: b"", lambda c: bytes(len(c)), flipped],
    ids=["end cut", "start only", "empty", "zeros", "a bit flipped"],
)
def test_a_trial_whose_checkpoint_is_damaged_starts_over_to_the_same_numbers(damage, whole, tmp_path):
    file = cut_short(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    seen = []
    again = run(WHAT, tmp_path, DATA, on_epoch=lambda epoch, metrics: seen.append(epoch))
    assert load_checkpoint(file).progress.epoch == 4
    assert again.result.epochs == whole.result.epochs
    assert again.predictions.equals(whole.predictions)
    assert again.result.notes == whole.result.notes
    assert seen == [0, 1, 2, 3]


def test_a_checkpoint_of_code_that_kept_other_things_is_no_checkpoint(tmp_path):
    torch.save({"epoch": 3, "model": {}}, tmp_path / "resume.pt")
    assert load_checkpoint(tmp_path / "resume.pt") is None


def test_what_was_saved_comes_back(tmp_path):
    progress = Progress(epoch=2, best_epoch=1, best_value=0.5, notes=["a note"])
    saved = Checkpoint(progress, {"weight": torch.rand(3)}, {"state": {}}, "abc")
    save_checkpoint(tmp_path / "resume.pt", saved)
    found = load_checkpoint(tmp_path / "resume.pt")
    assert found.progress == progress
    assert found.revision == "abc"
    assert found.model["weight"].equal(saved.model["weight"])


def test_a_trial_resumed_by_other_code_says_so_once_and_for_all(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(assembly, "code_revision", lambda: "old")
    cut_short(tmp_path, last=0)
    monkeypatch.setattr(assembly, "code_revision", lambda: "new")
    with pytest.raises(Killed):
        run(WHAT, tmp_path, DATA, on_epoch=kill_after(2))
    done = run(WHAT, tmp_path, DATA)
    told = "resumed at epoch 1 from a checkpoint of revision old"
    assert done.result.notes == (*whole.result.notes, told)
    assert done.predictions.equals(whole.predictions)


def test_a_full_disk_is_no_failure_of_the_trial_and_costs_no_epoch(whole, tmp_path):
    file = cut_short(tmp_path)
    before = file.read_bytes()
    # The device on which every write finds the disk full.
    (tmp_path / "resume.partial").symlink_to("/dev/full")
    with pytest.raises(MachineFault, match=r"No space left on device.*resume\.partial") as caught:
        run(WHAT, tmp_path, DATA)
    assert caught.value.errno == errno.ENOSPC
    assert isinstance(caught.value, OSError)
    assert file.read_bytes() == before
    assert not os.path.lexists(tmp_path / "resume.partial")
    assert run(WHAT, tmp_path, DATA).predictions.equals(whole.predictions)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_disk_that_takes_nothing_is_known_through_what_it_led_to(code, wrapped):
    error = OSError(code, os.strerror(code), "some/file")
    if wrapped:
        outer = ValueError("could not keep it")
        outer.__cause__ = error
        error = outer
    fault = machine_fault(error)
    assert fault.errno == code
    assert "some/file" in str(fault)


def test_libraries_that_keep_the_systems_error_in_their_text_are_understood():
    text = "Error while serializing: I/O error: No space left on device (os error 28)"
    assert machine_fault(SafetensorError(text)).errno == errno.ENOSPC
    with pytest.raises(RuntimeError) as caught:
        torch.save({"weight": torch.zeros(100_000)}, "/dev/full")
    assert machine_fault(caught.value).errno == errno.ENOSPC


def test_other_errors_are_the_trials_own():
    others = (MemoryError("too much"), FileNotFoundError(2, "no such file"), PermissionError(13, "no"))
    assert [machine_fault(error) for error in (*others, RuntimeError("shapes"))] == [None] * 4


def test_a_trial_that_needs_more_memory_than_there_is_has_failed(tmp_path):
    with LOSSES.temporary():

        @LOSSES.register("greedy", config=LossConfig, paper="made for the tests", tiny={})
        class Greedy(torch.nn.Module):
            def __init__(self, config, info):
                super().__init__()

            def forward(self, outputs, batch, advice):
                raise MemoryError("too much")

        result = run(spec(losses={"greedy": LossTerm()}), tmp_path, DATA).result
    assert (result.state, result.failure.message) == ("failed", "MemoryError: too much")
