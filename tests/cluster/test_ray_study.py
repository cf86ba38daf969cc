"""A study on three nodes, one of which is lost in the middle of it."""

import csv
from functools import partial

import pytest
from studies import Diary, ablation

from harness.registry import discover
from harness.store import open_store
from harness.store.claims import open_claims
from harness.study.launch.base import Began, Lost
from harness.study.load import parse_study
from harness.study.place import Place
from harness.study.runner import run_study
from reports import write_report

pytestmark = pytest.mark.ray


@pytest.fixture
def cluster(monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield nodes
    nodes.shutdown()


def study(**launch):
    content = ablation("data.train=240")
    for role in ("teacher", "student", "baseline"):
        content["base"][role]["optimisation"] = {"max_epochs": 20, "batch_size": 8, "patience": 20}
    return parse_study({**content, "launch": launch})


def run(what, folder, diary):
    place = Place(folder, partial(open_store, folder), partial(open_claims, folder), exists=False)
    outcome = run_study(what, place, diary, ["toy"])
    report = write_report(outcome.store, "toy", folder / "report")
    with next(path for path in report.paths if path.name == "table.csv").open(newline="") as file:
        rows = [
            {key: value for key, value in row.items() if "latency" not in key}
            for row in csv.DictReader(file)
        ]
    scores = {m: outcome.store.predictions(m.trial_id)["score"].tolist() for m in outcome.plan.members}
    return outcome, rows, scores


def test_a_study_that_loses_a_node_ends_with_the_table_of_a_serial_one(cluster, tmp_path):
    discover(["toy"])
    doomed = [cluster.add_node(num_cpus=1) for _ in range(2)][1]
    cluster.wait_for_nodes()
    diary, begun = Diary(), []

    def event(event):
        diary.events.append(event)
        begun.extend([event.trial_id] if isinstance(event, Began) else [])
        if isinstance(event, Began) and len(begun) == 5:
            # Three trials are under way, on three nodes of a core each.
            cluster.remove_node(doomed, allow_graceful=False)

    diary.event = event
    outcome, rows, scores = run(study(name="ray", address=cluster.address), tmp_path / "ray", diary)
    assert outcome.failed == 0
    assert [type(event) for event in diary.events].count(Lost) >= 1
    calm, expected, serial = run(study(name="serial"), tmp_path / "serial", Diary())
    assert calm.failed == 0
    assert rows == expected
    assert scores == serial
