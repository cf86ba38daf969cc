"""Which trials may begin, by what has ended."""

from studies import ablation

from harness.registry import discover
from harness.spec import VariantRef
from harness.study.expand import expand, make_plan
from harness.study.load import parse_study
from harness.study.queue import Queue

discover()


def plan(*overrides):
    study = parse_study(ablation(*overrides))
    cells = expand(study)
    return make_plan(study, cells, {VariantRef(name="toy"): "f", cells[0].spec.data: "f"})


def queue(of, **ended):
    made = Queue()
    made.extend(of, ended)
    return made


def test_nobody_begins_before_his_teachers_have_ended():
    toy = plan("seeds=[0]", "arms.cross_fitted.folds=2")
    made = queue(toy)
    advised = set(toy.teachers)
    assert not advised & set(made.ready())
    while waiting := [trial for trial in made.ready() if trial not in advised]:
        made.begin(waiting[0])
        made.end(waiting[0], "complete")
    assert set(made.ready()) == advised


def test_a_failed_teacher_has_ended_too():
    toy = plan("seeds=[0]")
    (student, (teacher,)), *_ = toy.teachers.items()
    assert student not in queue(toy).ready()
    assert student in queue(toy, **{teacher: "failed"}).ready()


def test_ready_trials_come_in_the_order_of_the_plan():
    toy = plan()
    ready = list(queue(toy, **dict.fromkeys(toy.trials.keys() - toy.teachers, "complete")).ready())
    assert ready == [trial for trial in toy.trials if trial in toy.teachers]


def test_what_another_runner_has_is_not_begun_here():
    toy = plan("seeds=[0]")
    made = queue(toy)
    first = next(made.ready())
    made.elsewhere = {first}
    assert first not in made.ready()
    assert first in made.unsettled


def test_a_trial_that_is_put_back_may_begin_again():
    toy = plan("seeds=[0]")
    made = queue(toy)
    first = next(made.ready())
    made.begin(first)
    assert first not in made.ready()
    made.put_back(first)
    assert (first in made.ready(), made.here) == (True, set())


def test_a_plan_that_has_grown_brings_only_what_is_new():
    small, large = plan("seeds=[0]"), plan("seeds=[0,1]")
    made = queue(small)
    begun = next(made.ready())
    made.begin(begun)
    made.extend(large, {})
    assert begun not in made.unsettled
    assert set(made.unsettled) == large.trials.keys() - {begun}


def test_a_trial_under_way_here_ends_when_its_worker_says_so_and_not_when_a_plan_grows():
    # What it left lies in the outbox a moment before the worker is free for the next one.
    toy = plan("seeds=[0]")
    made = queue(toy)
    trial = next(iter(made.ready()))
    made.begin(trial)
    made.extend(toy, {trial: "complete"})
    assert trial in made.here
    assert trial not in made.ended
    made.end(trial, "complete")
    assert not made.here
