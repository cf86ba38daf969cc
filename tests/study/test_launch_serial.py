"""The launcher of this process, and what every worker does with an order."""

import errno
import sys
from dataclasses import replace

import launching
import pytest
from launching import ends, order
from trials import dataset, spec

from harness.registry import DATASETS
from harness.spec import BadInput, RayLaunch, Runtime, SerialLaunch
from harness.store import Outbox
from harness.study.launch import open_launcher
from harness.study.launch.base import Began, Ended, Epoch, Pruning, Stuck
from harness.study.launch.local_data import LocalData
from harness.study.launch.work import work


def serial(data=dataset, does=work):
    return open_launcher(SerialLaunch(), Runtime(), lambda ref: data(), does)


def trial(out, **changes):
    runtime = Runtime(threads=1, latency_seconds=0.01)
    return order(out, "t", "study", spec=spec(), runtime=runtime, **changes)


def test_an_order_is_run_while_it_is_waited_for_and_ends_in_one_event(tmp_path):
    events = ends(serial(), [trial(tmp_path)])
    assert [type(event) for event in events] == [Began, Epoch, Epoch, Epoch, Ended]
    outbox = Outbox(tmp_path / "outbox")
    assert (outbox.ids(), outbox.study("t"), outbox.result("t").state) == (("t",), "study", "complete")
    assert outbox.predictions("t") is not None
    assert not (tmp_path / "work" / "t").exists()


def test_a_trial_that_is_in_the_outbox_is_not_run_again(tmp_path):
    done = trial(tmp_path)
    launching.commit(done)
    done.work.mkdir(parents=True)
    events = ends(serial(lambda: pytest.fail("no clip is needed")), [done])
    assert [type(event) for event in events] == [Began, Ended]
    assert not done.work.exists()


def test_a_failure_in_the_outbox_is_tried_again(tmp_path):
    launching.commit(trial(tmp_path), "failed")
    ends(serial(), [trial(tmp_path)])
    assert Outbox(tmp_path / "outbox").result("t").state == "complete"


class AfterOne(Pruning):
    def is_hopeless(self, epochs):
        return len(epochs) == 1


def test_a_search_gives_a_trial_up_by_what_travels_with_the_order(tmp_path):
    events = ends(serial(), [trial(tmp_path, pruning=AfterOne())])
    assert [type(event) for event in events] == [Began, Epoch, Ended]
    assert Outbox(tmp_path / "outbox").result("t").state == "pruned"


def test_a_full_disk_and_data_that_changed_are_no_faults_of_the_trial(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    reasons = {
        full: f"{tmp_path / 'work'}: No space left on device",
        BadInput("gone", key="data"): "data: gone",
    }
    for fault, reason in reasons.items():

        def load(fault=fault):
            raise fault

        [_, stuck] = ends(serial(load), [trial(tmp_path)])
        assert stuck == Stuck("t", "worker-1", reason)
    assert Outbox(tmp_path / "outbox").ids() == ()


def test_a_fault_of_whoever_is_told_does_not_become_the_trials(tmp_path):
    def told(event):
        if isinstance(event, Epoch):
            raise BrokenPipeError(errno.EPIPE, "the terminal is gone")

    launcher = serial()
    launcher.start(trial(tmp_path))
    with pytest.raises(BrokenPipeError, match="the terminal is gone"):
        launcher.wait(1, told)
    assert Outbox(tmp_path / "outbox").ids() == ()


def test_a_worker_reads_a_data_set_once_and_refuses_another_than_the_plan_was_made_for(
    tmp_path, monkeypatch
):
    loads, load = [], DATASETS.get("toy").builder.load
    monkeypatch.setattr(
        DATASETS.get("toy").builder, "load", lambda reader: loads.append(1) or load(reader)
    )
    loaded, given = LocalData(), trial(tmp_path)
    assert loaded.load(given, given.spec.data) is loaded.load(given, given.spec.data)
    assert len(loads) == 1
    with pytest.raises(BadInput, match="data: the data changed since the study was planned"):
        loaded.load(replace(given, fingerprint="other"), given.spec.data)


def test_a_cluster_without_ray_names_the_extra_that_brings_it(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("harness.study.launch.ray_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match=r"launch.name: Ray is not installed; .*adviserbench\[ray\]"):
        open_launcher(RayLaunch(), Runtime(), lambda ref: dataset())
