"""``adviserbench study``: what each command says and does to a store."""

import json

import pytest
from standing import ablation_plan, record, search_plan

from harness.cli import study as commands
from harness.cli.study import (
    export_command,
    import_command,
    prune_command,
    retry_command,
    status_command,
)
from harness.spec import BadInput
from harness.store import MemoryStore, Outbox
from harness.store.claims import MemoryClaims


class Desk:
    """A store in memory under the commands, and another runner at work."""

    def __init__(self, folder, monkeypatch, capsys):
        self.out, self._capsys = folder, capsys
        self.store, self.claims = MemoryStore(), MemoryClaims()
        self.other = MemoryClaims(kept=self.claims.kept)
        (folder / "claims.db").touch()
        monkeypatch.setattr(commands, "open_store", lambda out, uri, create=True: self.store)
        monkeypatch.setattr(commands, "open_claims", lambda out, uri: self.claims)

    def ended(self, plan, *trials, **more):
        for trial in trials:
            self.store.begin(plan.study.name, trial, plan.trials[trial])
            self.store.finish(record(trial, **more), None, {})

    def status(self, study=None, *, as_json=False, every_trial=False):
        self._capsys.readouterr()
        status_command(study, self.out, None, as_json=as_json, every_trial=every_trial)
        return self.said()

    def said(self):
        return self._capsys.readouterr().out


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    desk = Desk(tmp_path, monkeypatch, capsys)
    plan = ablation_plan()
    desk.store.open_study(plan)
    desk.ended(plan, "alone-0")
    desk.ended(plan, "alone-1", state="failed")
    desk.other.take("teacher-0")
    desk.other.begin("teacher-0")
    return desk


def words(text):
    return [line.split() for line in text.splitlines()]


def test_the_status_says_totals_arms_owners_and_failures(desk):
    text = desk.status("small")
    assert text.startswith("small: 6 trials: 1 complete, 1 failed, 1 running, 3 waiting\n")
    assert ["arm", "complete", "failed", "running", "waiting"] in words(text)
    assert ["alone", "1", "1"] in words(text)
    assert ["(teachers)", "1", "1"] in words(text)
    assert "teacher of advised seed 0  running" in text
    assert "alone seed 1  the loss became nan" in text


def test_all_studies_are_told_when_none_is_named(desk):
    desk.store.open_study(search_plan())
    text = desk.status()
    assert "hunt: 4 trials so far: 4 waiting" in text
    assert "small: 6 trials" in text


def test_every_trial_is_listed_when_asked_for(desk):
    desk.store.open_study(search_plan())
    Outbox(desk.out / "outbox").commit("hunt", record("search-1"), None, {})
    text = desk.status("hunt", every_trial=True)
    assert "1 wait for the store" in text
    assert ["search-0", "tuned", "#0", "waiting"] in words(text)
    assert ["search-1", "tuned", "#1", "complete", "waits", "for", "the", "store"] in words(text)


def test_a_search_says_its_budget_and_best(desk, monkeypatch):
    plan = search_plan(objective=("val/mae", "parameters"))
    desk.store.open_study(plan)
    desk.ended(plan, "search-0", mae=0.5, parameters=10)
    desk.ended(plan, "search-3", mae=0.4, parameters=20)
    desk.other.take("search-1")
    assert "tuned     4 of 8" in desk.status("hunt")
    assert "front of 2: #0, #3" in desk.status("hunt")


def test_what_optuna_does_not_know_is_a_warning_when_nobody_is_at_work(desk):
    plan = search_plan()
    desk.store.open_study(plan)
    desk.ended(plan, *plan.trials)
    said = desk.status("hunt")
    assert said.count("Warning: ") == 1
    assert "optuna.journal has none of its trials" in said
    assert "Warning" not in desk.status("small")


def test_the_status_is_json_for_programs(desk):
    (study,) = json.loads(desk.status("small", as_json=True))["studies"]
    assert study["counts"]["waiting"] == 3
    assert study["arms"][0] == {"arm": "alone", "counts": {"complete": 1, "failed": 1}}
    (running,) = study["trials"]
    assert (running["trial_id"], running["owner"]["token"]) == (
        "teacher-0",
        desk.other.owner.token,
    )
    (study,) = json.loads(desk.status(as_json=True, every_trial=True))["studies"]
    assert len(study["trials"]) == 6


def test_reading_makes_no_file_of_claims(desk, monkeypatch):
    (desk.out / "claims.db").unlink()
    monkeypatch.setattr(commands, "open_claims", lambda out, uri: pytest.fail("nothing to read there"))
    assert "small: 6 trials: 1 complete, 1 failed, 4 waiting" in desk.status("small")


@pytest.mark.parametrize(
    "command",
    [
        lambda out: status_command("smal", out, None, as_json=False, every_trial=False),
        lambda out: retry_command("smal", (), out, None),
        lambda out: prune_command("smal", out, None, unplanned=False, yes=True),
        lambda out: export_command("smal", out / "file.zip", out, None, files=True),
    ],
)
def test_an_unknown_study_names_the_near_ones(command, desk):
    with pytest.raises(BadInput, match="STUDY: no study 'smal' in this store; did you mean 'small'"):
        command(desk.out)
    assert not (desk.out / "file.zip").exists()


def test_a_study_may_be_named_by_its_file(desk, tmp_path):
    (tmp_path / "any.yaml").write_text("name: small\n")
    assert "small: 6 trials" in desk.status(str(tmp_path / "any.yaml"))


def test_retried_trials_are_said_and_wait(desk):
    retry_command("small", (), desk.out, None)
    assert desk.said() == "alone-1\n1 result forgotten: the next run takes them up\n"
    assert "4 waiting" in desk.status("small")
    retry_command("small", (), desk.out, None)
    assert desk.said() == "0 results forgotten: nothing to be run again\n"


def test_pruning_says_what_it_would_do_and_does_it_when_told(desk):
    desk.store.begin("small", "advised-0", ablation_plan().trials["advised-0"])
    checkpoint = desk.out / "work" / "alone-0"
    checkpoint.mkdir(parents=True)
    prune_command(None, desk.out, None, unplanned=False, yes=False)
    said = desk.said().splitlines()
    assert said == [
        "trial advised-0: left open by a killed process",
        str(checkpoint),
        "nothing was removed; --yes removes this, and dead claims",
    ]
    assert checkpoint.exists()
    prune_command("small", desk.out, None, unplanned=False, yes=True)
    assert desk.said().splitlines() == [*said[:2], "removed, and 0 dead claims"]
    assert not checkpoint.exists()
    assert "advised-0" not in desk.store.trials()


def test_a_study_travels_in_a_file(desk, monkeypatch, tmp_path):
    file, there = tmp_path / "small.zip", MemoryStore()
    export_command("small", file, desk.out, None, files=True)
    assert desk.said() == f"2 trials written to {file}\n"
    monkeypatch.setattr(commands, "open_store", lambda out, uri, create=True: there)
    import_command(file, tmp_path / "there", None, "brought")
    assert desk.said() == (
        "brought: 2 new trials, 0 already here; report with: "
        f"adviserbench report brought --out {tmp_path / 'there'}\n"
    )
    assert there.trials() == {"alone-0": "complete", "alone-1": "failed"}
    import_command(file, tmp_path / "there", None, "brought")
    assert "0 new trials, 2 already here" in desk.said()


def test_a_file_that_is_not_there_is_bad_input(desk, tmp_path):
    with pytest.raises(BadInput, match="FILE: no such file"):
        import_command(tmp_path / "no.zip", desk.out, None, None)
