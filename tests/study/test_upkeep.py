"""Results are forgotten only when nobody works on them; what is cleared away is nobody's."""

import os
import time

import pytest
from standing import ablation_plan, record, search_plan

from harness.spec import BadInput
from harness.store import BufferedStore, MemoryStore, Outbox
from harness.store.claims import MemoryClaims
from harness.study.retry import find_trials, retry
from harness.study.upkeep import OLD_SECONDS, House, Leftovers


class Setting:
    """A study in a store, and two runners that may claim its trials."""

    def __init__(self, plan, folder):
        self.plan, self.out = plan, folder
        self.store, self.outbox = MemoryStore(), Outbox(folder / "outbox")
        self.claims = MemoryClaims()
        self.other = MemoryClaims(kept=self.claims.kept)
        self.store.open_study(plan)

    def ended(self, *trials, state="complete"):
        for trial in trials:
            self.store.begin(self.plan.study.name, trial, self.plan.trials[trial])
            self.store.finish(record(trial, state=state), None, {})

    def retry(self, *named):
        return retry(self.plan, BufferedStore(self.store, self.outbox), self.claims, named)

    def refuses(self, *named):
        before = self.store.trials()
        with pytest.raises(BadInput) as fault:
            self.retry(*named)
        assert self.store.trials() == before
        assert all(claim.owner == self.other.owner for claim in self.claims.live().values())
        return str(fault.value)

    @property
    def house(self):
        return House(self.out, self.store, self.claims)


@pytest.fixture
def small(tmp_path):
    return Setting(ablation_plan(), tmp_path)


@pytest.fixture
def hunt(tmp_path):
    return Setting(search_plan(6), tmp_path)


def test_all_failed_trials_are_forgotten_and_nothing_else(small):
    small.ended("alone-0", "teacher-0")
    small.ended("alone-1", "advised-0", state="failed")
    assert set(small.retry()) == {"alone-1", "advised-0"}
    assert small.store.trials() == {"alone-0": "complete", "teacher-0": "complete"}
    assert small.claims.live() == {}


def test_a_complete_trial_is_forgotten_only_when_named(small):
    small.ended("alone-0", "alone-1")
    assert small.retry() == ()
    assert small.retry("alone-0") == ("alone-0",)
    assert small.store.trials() == {"alone-1": "complete"}


def test_a_result_on_its_way_to_the_store_is_forgotten_too(small):
    small.outbox.commit("small", record("alone-0", state="failed"), None, {})
    assert small.retry() == ("alone-0",)
    assert small.outbox.ids() == ()


def test_a_named_trial_that_is_being_run_is_refused_and_its_owner_named(small):
    small.ended("alone-0", "alone-1", state="failed")
    small.other.take("alone-1")
    small.other.begin("alone-1")
    line = small.refuses("alone-0", "alone-1")
    assert f"TRIAL: alone-1 is being run by process {os.getpid()} on" in line


def test_failed_trials_that_a_runner_has_taken_up_are_left_to_it(small):
    small.ended("alone-0", "alone-1", state="failed")
    small.other.take("alone-1")
    assert small.retry() == ("alone-0",)
    assert small.store.trials() == {"alone-1": "failed"}


def test_nobody_can_take_a_trial_while_it_is_forgotten(small, monkeypatch):
    small.ended("alone-0", state="failed")
    taken = []
    forget = small.store.forget

    def forgetting(trials):
        taken.append(small.other.take("alone-0"))
        forget(trials)

    monkeypatch.setattr(small.store, "forget", forgetting)
    small.retry()
    assert taken == [False]
    assert small.other.take("alone-0")


def test_a_trial_without_a_result_cannot_be_forgotten(small):
    assert "alone-0 has no result" in small.refuses("alone-0")


def test_ids_may_be_shortened_as_long_as_they_say_one_trial(small):
    assert find_trials(small.plan, ["alone-1", "teacher-0", "alone-1"]) == ("alone-1", "teacher-0")
    assert find_trials(search_plan(1), ["sea"]) == ("search-0",)
    with pytest.raises(BadInput, match="2 trials begin with 'alone': alone-0, alone-1"):
        find_trials(small.plan, ["alone"])
    with pytest.raises(BadInput, match="begins with 'alnoe-0'; did you mean 'alone-0'"):
        find_trials(small.plan, ["alnoe-0"])


def test_a_whole_id_is_itself_even_if_others_begin_with_it():
    plan = search_plan(12)
    assert find_trials(plan, ["search-1"]) == ("search-1",)


def test_the_ended_rounds_of_a_search_stay(hunt):
    hunt.ended("search-0", "search-1", "search-2", "search-4")
    hunt.ended("search-3", "search-5", state="failed")
    assert "search-3 is #3 of the search of 'tuned', whose round has ended" in hunt.refuses("search-3")
    assert hunt.retry() == ()


def test_a_round_that_goes_on_may_have_a_trial_run_again(hunt):
    hunt.ended("search-0", "search-1", "search-2", "search-3")
    hunt.ended("search-4", state="failed")
    assert hunt.retry() == ("search-4",)


def test_trials_left_open_by_killed_processes_are_found_and_closed(small):
    small.ended("alone-0")
    for trial in ("alone-1", "advised-0", "advised-1"):
        small.store.begin("small", trial, small.plan.trials[trial])
    small.other.take("advised-0")
    small.outbox.commit("small", record("advised-1"), None, {})
    found = small.house.leftovers("small")
    assert found.begun == ("alone-1",)
    small.house.remove(found)
    assert set(small.store.trials()) == {"alone-0", "advised-0", "advised-1"}


def test_what_ended_since_it_was_listed_is_kept(small):
    small.store.begin("small", "alone-0", small.plan.trials["alone-0"])
    found = small.house.leftovers()
    small.ended("alone-0")
    small.house.remove(found)
    assert small.store.trials() == {"alone-0": "complete"}


def test_checkpoints_of_ended_trials_go_and_those_of_others_stay(small):
    small.ended("alone-0", "alone-1")
    small.other.take("alone-1")
    work = small.out / "work"
    for trial in ("alone-0", "alone-1", "advised-0"):
        (work / trial).mkdir(parents=True)
        (work / trial / "checkpoint").write_bytes(b"x")
    small.house.remove(small.house.leftovers())
    assert sorted(path.name for path in work.iterdir()) == ["advised-0", "alone-1"]


def test_logs_of_workers_stay_while_anybody_works(small):
    log = small.out / "work" / "worker-1.log"
    log.parent.mkdir()
    log.write_text("said something")
    small.other.take("alone-0")
    assert small.house.leftovers().paths == ()
    small.other.release("alone-0")
    assert small.house.leftovers().paths == (log,)
    small.house.remove(small.house.leftovers())
    assert not log.exists()


def test_only_old_drafts_are_left_over(small):
    young, old = small.out / ".new-young", small.out / "outbox" / ".new-old"
    for draft in (young, old):
        draft.mkdir(parents=True)
    long_ago = time.time() - OLD_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    assert small.house.leftovers().paths == (old,)


def test_results_that_no_plan_names_go_only_when_asked_for(small):
    small.ended("alone-0", "alone-1")
    (small.out / "work" / "alone-1").mkdir(parents=True)
    small.store.open_study(ablation_plan(seeds=1))
    assert small.house.leftovers().unplanned == ()
    found = small.house.leftovers(unplanned=True)
    assert found.unplanned == ("alone-1",)
    assert found.paths == (small.out / "work" / "alone-1",)
    small.house.remove(found)
    assert small.store.trials() == {"alone-0": "complete"}


def test_a_trial_of_another_study_is_planned(small):
    small.ended("alone-0", "alone-1")
    small.store.open_study(ablation_plan(seeds=1))
    again = ablation_plan()
    study = again.study.model_copy(update={"name": "other"})
    small.store.open_study(again.model_copy(update={"study": study}))
    assert small.house.leftovers("small", unplanned=True).unplanned == ()


def test_dead_claims_are_counted_and_taken_away(small):
    small.claims.lifetime_seconds = -1
    small.claims.take("alone-0")
    assert small.house.remove(Leftovers()) == 1
    assert small.claims.kept == {}
