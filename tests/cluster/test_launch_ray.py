"""Workers on a Ray cluster: what they tell, what a lost node takes with it, and the same numbers."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import launching
import pytest
from advised import RUNTIME, numbers
from launching import ends, is_running, order, until
from trials import dataset

from harness.registry import discover
from harness.spec import BadInput, RayLaunch, SerialLaunch
from harness.store import Outbox
from harness.study.launch import open_launcher
from harness.study.launch.base import Began, Ended, Epoch, Lost, Stuck

pytestmark = pytest.mark.ray

PACKER = "harness.study.launch.ray_parcels.Packer"
HEAD = {"num_cpus": 1, "include_dashboard": False}


@pytest.fixture(scope="module", autouse=True)
def no_news_to_anybody():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        discover(["toy"])
        yield


@pytest.fixture(scope="module")
def cluster():
    # Here, not on top: these files are looked through where the extra is not installed, too.
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args=HEAD)
    for _ in range(2):
        nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    yield nodes
    nodes.shutdown()


@pytest.fixture
def opened(cluster):
    launchers = []

    def open_(work=launching.stub, data=lambda ref: "no clips", **launch):
        launch = RayLaunch(**({"address": cluster.address} | launch))
        launchers.append(open_launcher(launch, RUNTIME, data, work))
        return launchers[-1]

    yield open_
    for launcher in launchers:
        launcher.stop()


def text_in(path):
    until(path.exists, 60)
    return path.read_text(encoding="utf-8")


def pid_in(path):
    return int(text_in(path))


def test_every_order_ends_in_exactly_one_event_whatever_becomes_of_it(opened, tmp_path):
    launcher = opened()
    assert launcher.width == 3
    kinds = {
        "epochs=3 commit": Ended, "raise=BadInput": Stuck, "full": Stuck, "kill": Lost, "exit=3": Lost,
        "raise=KeyError": Lost, "commit kill": Ended, "nothing": Ended, "commit": Ended,
    }  # fmt: skip
    orders = [order(tmp_path, f"t{n}", does) for n, does in enumerate(kinds)]
    events = ends(launcher, orders, 200)
    found = {one.trial_id: [e for e in events if e.trial_id == one.trial_id] for one in orders}
    for one in orders:
        told = found[one.trial_id]
        assert [type(e) for e in told if isinstance(e, Ended | Lost | Stuck)] == [kinds[one.study]], told
        assert isinstance(told[-1], Ended | Lost | Stuck)
        assert len({e.worker for e in told}) == 1
    assert [type(e) for e in found["t0"]] == [Began, Epoch, Epoch, Epoch, Ended]
    assert "No space left" in found["t2"][-1].reason
    assert "KeyError: 'a bug'" in found["t5"][-1].reason
    result = Outbox(tmp_path / "outbox").result("t0")
    assert result.environment.threads == 1
    # Our code came with the job.
    assert "py_modules" in result.notes[1]


def test_a_node_that_is_lost_takes_its_trial_and_the_others_go_on(cluster, opened, tmp_path):
    node = cluster.add_node(num_cpus=1, resources={"doomed": 1})
    cluster.wait_for_nodes()
    launcher = opened()
    assert launcher.width == 4
    for n in range(4):
        launcher.start(order(tmp_path, f"t{n}", f"node=is{n} gate=open commit"))
    ids = {f"t{n}": text_in(tmp_path / f"is{n}.node") for n in range(4)}
    assert len(set(ids.values())) == 4
    events = []
    cluster.remove_node(node, allow_graceful=False)
    while not any(isinstance(event, Lost) for event in events):
        launcher.wait(5, events.append)
    (tmp_path / "open").touch()
    while len([event for event in events if isinstance(event, Ended | Lost | Stuck)]) < 4:
        launcher.wait(5, events.append)
    [lost] = [event for event in events if isinstance(event, Lost)]
    assert ids[lost.trial_id] == node.node_id
    # Ray may notice the broken connection before it knows that the whole node is gone.
    assert "node has died" in lost.reason or "is unavailable" in lost.reason
    assert set(Outbox(tmp_path / "outbox").ids()) == ids.keys() - {lost.trial_id}
    # Its place is gone as well, and the trial runs in another one.
    until(lambda: launcher.width == 3, 30)
    [*_, again] = ends(launcher, [order(tmp_path, lost.trial_id, "commit")])
    assert isinstance(again, Ended)


def test_a_cluster_that_grows_is_used(cluster, opened):
    launcher = opened()
    assert launcher.width == 3
    node = cluster.add_node(num_cpus=2)
    until(lambda: launcher.width == 5, 30)
    cluster.remove_node(node)
    until(lambda: launcher.width == 3, 30)


@pytest.mark.parametrize(
    ("cpus", "gpus", "places"), [(2, 0, 4), (0.1, 0, 80), (0, 0, 8), (1, 0.5, 2), (0, 1, 1), (9, 0, 0)]
)
def test_a_node_holds_as_many_trials_as_its_scarcest_resource_allows(cpus, gpus, places):
    from harness.study.launch.ray_connection import trials_held

    assert trials_held({"CPU": 8.0, "GPU": 1.0, "memory": 1e9}, cpus, gpus) == places


def test_nodes_need_none_of_the_runners_files(opened, tmp_path, monkeypatch):
    # As on a machine that does not see the mark beside the work folder.
    monkeypatch.setattr(f"{PACKER}._mark", lambda packer, folder: tmp_path / "not there")
    launcher = opened(None, lambda ref: dataset(), workers=1)
    elsewhere = numbers(tmp_path / "there", launcher)
    assert elsewhere == numbers(tmp_path / "here", serial())
    assert not (tmp_path / "there" / "cache").exists()
    assert not (tmp_path / "there" / "work").exists()
    on_the_node = Path(tempfile.gettempdir()) / f"adviserbench-{launcher._packer.token}"
    assert (on_the_node / "outbox").is_dir()
    launcher.stop()
    assert not on_the_node.exists()


def test_trials_are_the_same_to_the_last_bit_here_and_on_a_node(opened, tmp_path):
    there = numbers(tmp_path / "there", opened(None, lambda ref: dataset(), workers=1))
    assert there == numbers(tmp_path / "here", serial())


def serial():
    return open_launcher(SerialLaunch(), RUNTIME, lambda ref: dataset())


def test_an_address_without_a_cluster_is_bad_input():
    with pytest.raises(BadInput, match=r"launch.address: no Ray cluster at 127.0.0.1:9: .* refused"):
        open_launcher(RayLaunch(address="127.0.0.1:9"), RUNTIME, lambda ref: dataset())


def test_a_killed_runner_takes_its_own_cluster_with_it_and_says_nothing(tmp_path):
    script = (
        "from pathlib import Path; import launching\n"
        "from harness.spec import RayLaunch, Runtime\n"
        "from harness.study.launch import open_launcher\n"
        "launcher = open_launcher(RayLaunch(), Runtime(), lambda ref: 0, launching.stub)\n"
        "out = Path.cwd()\n"
        "launching.ends(launcher, [launching.order(out, 'a', 'kill', plugins=())])\n"
        "launcher.start(launching.order(out, 'b', 'file=b sleep=600', plugins=()))\n"
        "launcher.wait(600, str); launcher.wait(600, str); launcher.wait(600, str)\n"
    )
    path = os.pathsep.join(map(str, (Path(launching.__file__).parent, Path.cwd())))
    (tmp_path / "study.py").write_text(script, encoding="utf-8")
    runner = subprocess.Popen(
        [sys.executable, "study.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    worker = pid_in(tmp_path / "b.pid")
    family = [worker, *children(runner.pid)]
    assert len(family) > 3
    runner.kill()
    assert runner.communicate()[0] == b""
    until(lambda: not any(map(is_running, family)), 60)


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in found.split()]
