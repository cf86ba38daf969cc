"""What a runner does with what workers leave, and beside other runners."""

from collections import Counter

import pytest
from shifts import StubLauncher, lost
from store_records import ended
from studies import Diary, ablation

from harness.registry import discover
from harness.store import BufferedStore, Courier, MemoryStore, Outbox, StoreFault
from harness.store.claims import MemoryClaims
from harness.study import shift as shifts
from harness.study.expand import expand
from harness.study.launch.base import Stuck
from harness.study.load import parse_study
from harness.study.orders import Orders
from harness.study.place import Place
from harness.study.planner import FixedPlanner
from harness.study.shift import Services, Shift

discover()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(shifts, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(shifts, "WAIT_SECONDS", 0.01)


class Bench:
    """A store with its claims, on which any number of runners work."""

    def __init__(self, folder, *overrides):
        self.study = parse_study(ablation(*overrides))
        self.store, self.folder = MemoryStore(), folder
        self.standing = MemoryClaims()
        self.diary = Diary()
        cells = expand(self.study)
        self.planner = FixedPlanner(self.study, cells, {cells[0].spec.data: "toy"})
        self.plan = self.planner.plan

    def place(self, name="one"):
        return Place(self.folder / name, lambda: self.store, self.claims, exists=True)

    def claims(self):
        return self.standing.peer()

    def shift(self, launcher, name="one", again=(), retries=2, claims=None):
        outbox = Outbox(self.place(name).outbox)
        claims = claims or self.claims()
        self.courier = Courier(self.store, outbox, claims.release, seconds=0.01)
        reading = BufferedStore(self.store, outbox)
        services = Services(
            store=reading,
            outbox=outbox,
            courier=self.courier,
            claims=claims,
            launcher=launcher,
            watcher=self.diary,
            order=Orders(self.planner, reading, self.place(name), ()).of,
            retries=retries,
        )
        return Shift(self.planner, services, frozenset(again))

    def run(self, launcher, **more):
        work = self.shift(launcher, **more)
        try:
            work.run()
        finally:
            self.courier.close(10)
        return work


def test_every_trial_is_run_once_and_reaches_the_store(tmp_path):
    bench, launcher = Bench(tmp_path), StubLauncher(width=3)
    work = bench.run(launcher)
    assert Counter(launcher.started) == dict.fromkeys(bench.plan.trials, 1)
    assert bench.store.complete(bench.plan.trials) == bench.plan.trials.keys()
    assert {result.trial_id for result in work.ran} == bench.plan.trials.keys()
    assert launcher.most == 3


def test_all_claims_are_given_up_once_the_store_has_the_trials(tmp_path):
    bench = Bench(tmp_path)
    bench.run(StubLauncher())
    assert bench.claims().live() == {}


def test_two_runners_share_a_study_and_repeat_nothing(tmp_path):
    bench = Bench(tmp_path)
    one, two = StubLauncher(width=2), StubLauncher(width=2)
    first, second = bench.shift(one, "one"), None
    couriers, count = [bench.courier], [0]

    def helped(order):
        # The second comes when the first has begun its third trial, and works until nothing is left.
        count[0] += 1
        if count[0] == 3:
            nonlocal second
            second = bench.shift(two, "two")
            couriers.append(bench.courier)
            second._grow()
            second._start_what_may()
            while second.under_way:
                second._wait()
                second._start_what_may()

    one._fate = helped
    first.run()
    second.run()
    assert [courier.close(10) for courier in couriers] == [0, 0]
    assert Counter(one.started + two.started) == dict.fromkeys(bench.plan.trials, 1)
    assert one.started
    assert two.started
    assert bench.store.complete(bench.plan.trials) == bench.plan.trials.keys()


def test_what_another_runner_holds_is_waited_for(tmp_path):
    bench, launcher = Bench(tmp_path, "seeds=[0]"), StubLauncher()
    other = bench.claims()
    held = next(iter(bench.plan.trials))
    assert other.take(held)
    told = []
    orders = Orders(bench.planner, bench.store, bench.place("other"), ())

    def elsewhere(claims, states):
        # Nobody works here any more: the other runner finishes what it holds.
        if len(states) >= 2 and not told:
            told.append(claims)
            bench.store.begin("toy", held, bench.plan.trials[held])
            bench.store.finish(*ended(orders.of(held)), {})
            other.release(held)

    bench.diary.elsewhere = elsewhere
    bench.run(launcher)
    assert held not in launcher.started
    assert set(launcher.started) == bench.plan.trials.keys() - {held}


def test_a_trial_whose_worker_died_is_run_again(tmp_path):
    bench, deaths = Bench(tmp_path, "seeds=[0]"), Counter()
    unlucky = next(iter(bench.plan.trials))

    def fate(order):
        deaths[order.trial_id] += 1
        return lost(order) if order.trial_id == unlucky and deaths[unlucky] <= 2 else None

    bench.run(StubLauncher(fate=fate), retries=2)
    assert bench.store.get(unlucky).state == "complete"
    assert deaths[unlucky] == 3


def test_a_trial_whose_workers_always_die_fails_and_says_so(tmp_path):
    bench = Bench(tmp_path, "seeds=[0]")
    unlucky = next(iter(bench.plan.trials))
    bench.run(StubLauncher(fate=lambda order: lost(order) if order.trial_id == unlucky else None))
    failed = bench.store.get(unlucky)
    assert failed.state == "failed"
    assert failed.failure.message == "its worker died 3 times; the last time: killed by SIGKILL"
    assert bench.store.complete(bench.plan.trials) == bench.plan.trials.keys() - {unlucky}


def test_a_full_disk_ends_the_run_and_fails_no_trial(tmp_path):
    bench = Bench(tmp_path, "seeds=[0]")
    second = list(bench.plan.trials)[1]

    def fate(order):
        is_full = order.trial_id == second
        return Stuck(order.trial_id, "stub", "no space left on device: work") if is_full else None

    with pytest.raises(StoreFault, match="no space left on device: work"):
        bench.run(StubLauncher(width=1, fate=fate))
    states = bench.store.states(bench.plan.trials)
    assert list(states.values()) == ["complete"]
    assert second not in states


def test_a_store_that_is_down_costs_no_trial(tmp_path):
    bench, launcher = Bench(tmp_path, "seeds=[0]"), StubLauncher()
    finish, down = bench.store.finish, [True]

    def flaky(*given):
        if down[0]:
            raise StoreFault("no MLflow server at http://x")
        finish(*given)

    bench.store.finish = flaky
    work = bench.shift(launcher)
    work.run()
    assert bench.courier.close(0.1) == len(bench.plan.trials)
    outbox = Outbox(bench.place().outbox)
    assert set(outbox.ids()) == bench.plan.trials.keys()
    down[0] = False
    # The next run delivers what is there, and trains nothing.
    again = StubLauncher()
    late = bench.shift(again)
    for trial in outbox.ids():
        bench.courier.deliver(trial)
    late.run()
    assert bench.courier.close(10) == 0
    assert again.started == []
    assert bench.store.complete(bench.plan.trials) == bench.plan.trials.keys()


def test_claims_that_cannot_be_asked_stop_nobody_who_was_alone(tmp_path):
    bench, launcher, claims = Bench(tmp_path, "seeds=[0]"), StubLauncher(), None
    claims = bench.claims()
    take, asked = claims.take, Counter()

    def flaky(name):
        asked[name] += 1
        if asked.total() in range(2, 5):
            raise StoreFault("no database answers")
        return take(name)

    claims.take = flaky
    bench.run(launcher, claims=claims)
    assert Counter(launcher.started) == dict.fromkeys(bench.plan.trials, 1)


def test_claims_that_cannot_be_asked_make_a_runner_among_others_wait(tmp_path):
    bench, launcher, claims = Bench(tmp_path, "seeds=[0]"), StubLauncher(), None
    other, claims = bench.claims(), bench.claims()
    other.take("something else")
    work = bench.shift(launcher, claims=claims)
    work._grow()
    work._look_around()

    def refuse(name):
        raise StoreFault("no database answers")

    claims.take = refuse
    work._start_what_may()
    assert launcher.started == []
    bench.courier.close(1)


def test_failures_of_an_earlier_run_are_run_again_and_completed_ones_are_not(tmp_path):
    bench = Bench(tmp_path, "seeds=[0]")
    unlucky = next(iter(bench.plan.trials))
    bench.run(StubLauncher(fate=lambda order: lost(order) if order.trial_id == unlucky else None))
    again = StubLauncher()
    bench.run(again, again={unlucky})
    assert again.started == [unlucky]
    assert bench.store.get(unlucky).state == "complete"


def test_a_result_that_is_taken_away_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(shifts, "RETRY_SECONDS", 0.0)
    bench, launcher = Bench(tmp_path, "seeds=[0]"), StubLauncher(width=1)
    first, *_, last = bench.plan.trials

    def forget(order):
        # As `adviserbench study retry` does, while this runner is at its last trial.
        if order.trial_id == last and launcher.started.count(first) == 1:
            assert bench.courier.flush(10)
            bench.store.forget([first])

    launcher._fate = forget
    bench.run(launcher)
    assert launcher.started.count(first) == 2
    assert bench.store.complete(bench.plan.trials) == bench.plan.trials.keys()
