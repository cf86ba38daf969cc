"""How far a study is, from its plan, its store, its outbox and who has claimed what."""

import pytest
from standing import ablation_plan, record, search_plan

from harness.spec import SearchTrial
from harness.spec.leaders import leaders, objective_values
from harness.store import MemoryStore, Outbox
from harness.store.claims import MemoryClaims
from harness.study.labels import trial_labels
from harness.study.status import REASONS, TEACHERS, study_status


class Standing:
    def __init__(self, plan, folder):
        self.plan, self.store = plan, MemoryStore()
        self.claims, self.outbox = MemoryClaims(), Outbox(folder / "outbox")
        self.store.open_study(plan)

    def ended(self, trial, **more):
        self.store.begin(self.plan.study.name, trial, self.plan.trials[trial])
        self.store.finish(record(trial, **more), None, {})

    @property
    def now(self):
        return study_status(self.plan, self.store, self.claims, self.outbox)

    def of(self, trial):
        return next(one for one in self.now.trials if one.trial_id == trial)


@pytest.fixture
def standing(tmp_path):
    return Standing(ablation_plan(), tmp_path)


@pytest.fixture
def hunt(tmp_path):
    return Standing(search_plan(), tmp_path)


def test_a_trial_nobody_has_waits(standing):
    assert {one.state for one in standing.now.trials} == {"waiting"}
    assert [one.trial_id for one in standing.now.trials] == list(standing.plan.trials)


@pytest.mark.parametrize("state", ["complete", "failed", "pruned"])
def test_a_trial_ended_as_the_store_says(state, standing):
    standing.ended("alone-0", state=state)
    assert standing.of("alone-0").state == state
    assert standing.now.counts == {"waiting": 5, state: 1}


def test_a_claim_is_claimed_and_then_running_and_says_whose_and_since_when(standing):
    standing.claims.take("alone-0")
    one = standing.of("alone-0")
    assert (one.state, one.owner) == ("claimed", standing.claims.owner)
    assert one.since < one.expires
    standing.claims.begin("alone-0")
    assert standing.of("alone-0").state == "running"


def test_a_claim_that_expired_is_no_claim(standing):
    standing.claims.lifetime_seconds = -1
    standing.claims.take("alone-0")
    assert standing.of("alone-0").state == "waiting"


def test_what_has_ended_has_ended_whoever_still_holds_its_claim(standing):
    standing.ended("alone-0")
    standing.claims.take("alone-0")
    assert (standing.of("alone-0").state, standing.of("alone-0").owner) == ("complete", None)


def test_a_failed_trial_that_is_claimed_is_being_run_again(standing):
    standing.ended("alone-0", state="failed")
    standing.claims.take("alone-0")
    standing.claims.begin("alone-0")
    assert standing.of("alone-0").state == "running"
    assert standing.now.failures == ()


def test_a_result_on_its_way_counts_as_ended_and_undelivered(standing):
    standing.outbox.commit("small", record("alone-0"), None, {})
    standing.claims.take("alone-0")
    assert (standing.of("alone-0").state, standing.of("alone-0").is_undelivered) == ("complete", True)
    assert standing.now.undelivered == 1


def test_arms_count_their_trials_and_teachers_have_a_row(standing):
    standing.ended("alone-0")
    standing.ended("teacher-1", state="failed")
    rows = {one.arm: dict(one.counts) for one in standing.now.arms}
    assert rows == {
        "alone": {"complete": 1, "waiting": 1},
        "advised": {"waiting": 2},
        TEACHERS: {"failed": 1, "waiting": 1},
    }


def test_failures_say_why_and_who_they_are(standing):
    standing.ended("alone-1", state="failed")
    (failure,) = standing.now.failures
    assert (failure.label, failure.reason) == ("alone seed 1", "the loss became nan")


def test_of_very_many_failures_the_first_say_why(tmp_path, monkeypatch):
    standing = Standing(ablation_plan(("alone",), seeds=REASONS + 5), tmp_path)
    for trial in standing.plan.trials:
        standing.ended(trial, state="failed")
    reasons = [failure.reason for failure in standing.now.failures]
    assert len(reasons) == REASONS + 5
    assert sum(bool(reason) for reason in reasons) == REASONS


def test_a_search_says_how_far_it_is_and_its_best(hunt):
    hunt.ended("search-0", mae=0.6)
    hunt.ended("search-2", mae=0.5)
    hunt.ended("search-1", state="pruned")
    (search,) = hunt.now.searches
    assert (search.arm, search.proposed, search.budget) == ("tuned", 4, 8)
    assert dict(search.counts) == {"complete": 2, "pruned": 1, "waiting": 1}
    assert (search.best, search.values, search.has_chosen) == ((2,), (0.5,), False)
    assert hunt.now.is_open


def test_a_search_without_a_result_has_no_best(hunt):
    assert (hunt.now.searches[0].best, hunt.now.searches[0].values) == ((), None)


def test_a_chosen_trial_is_the_only_record_that_is_read(hunt, monkeypatch):
    for number in range(4):
        hunt.ended(f"search-{number}", mae=0.5 + number)
    choice = SearchTrial(arm="tuned", number=0, params={}, trial_id="search-0")
    hunt.plan = hunt.plan.model_copy(update={"chosen": {"tuned": choice}, "is_open": False})
    read = []
    get = hunt.store.get
    monkeypatch.setattr(hunt.store, "get", lambda trial: read.append(trial) or get(trial))
    assert hunt.now.searches[0].best == (0,)
    assert hunt.now.searches[0].has_chosen
    assert set(read) == {"search-0"}


def test_no_other_point_is_better_than_one_of_the_front():
    points = {0: (0.5, 10.0), 1: (0.4, 20.0), 2: (0.5, 20.0), 3: (0.4, 20.0), 4: (0.6, 9.0)}
    assert leaders(points, ("val/mae", "parameters")) == (0, 1, 3, 4)


def test_of_one_objective_the_first_of_the_best_leads_in_its_direction():
    points = {3: (0.4,), 1: (0.4,), 2: (0.7,)}
    assert leaders(points, ("val/mae",)) == (1,)
    assert leaders(points, ("val/corr",)) == (2,)
    assert leaders({}, ("val/mae",)) == ()


def test_a_trial_without_all_objectives_as_numbers_has_no_place():
    assert objective_values(record("t", 0.5), ("val/mae", "parameters", "latency_ms")) == (
        0.5,
        1000.0,
        1.5,
    )
    assert objective_values(record("t", float("nan")), ("val/mae",)) is None
    assert objective_values(record("t", 0.5), ("val/corr",)) is None
    assert objective_values(record("t", state="pruned"), ("val/mae",)) is None


def test_teachers_of_folds_and_trials_nobody_names_have_labels():
    plan = ablation_plan(("advised",), seeds=1)
    folds = {"advised-0": ("teacher-0", "second")}
    trials = {
        **plan.trials,
        "second": plan.trials["teacher-0"],
        "0123456789ab": plan.trials["advised-0"],
    }
    labels = trial_labels(plan.model_copy(update={"teachers": folds, "trials": trials}))
    assert labels["teacher-0"] == "teacher of advised seed 0 fold 1 of 2"
    assert labels["second"] == "teacher of advised seed 0 fold 2 of 2"
    assert labels["0123456789ab"] == "01234567"
