"""A trial that its search gives up, and one that never sees test."""

import pytest
import torch
from trials import dataset, run, spec, with_test

from harness.engine.advice import ADVICE_FILE
from harness.types import Padded

DATA = dataset()


class Killed(BaseException):
    """What SIGKILL would do, as far as Python can."""


def after(count):
    return lambda epochs: len(epochs) >= count


def test_a_hopeless_trial_leaves_its_epochs_and_no_numbers(tmp_path):
    whole = run(spec(max_epochs=5), tmp_path / "whole", DATA)
    done = run(spec(max_epochs=5), tmp_path / "pruned", DATA, is_hopeless=after(2))
    assert done.result.state == "pruned"
    assert done.result.epochs == whole.result.epochs[:2]
    assert (done.result.metrics, done.result.efficiency, done.result.failure) == ({}, None, None)
    assert (done.predictions, done.files) == (None, {})
    assert done.result.notes == whole.result.notes
    assert set(done.result.seconds) == {"build", "train"}


def test_the_best_epoch_of_a_hopeless_trial_is_of_those_it_had(tmp_path):
    done = run(spec(max_epochs=6, learning_rate=2e-2), tmp_path, DATA, is_hopeless=after(3))
    errors = [record.metrics["val/mae"] for record in done.result.epochs]
    assert len(errors) == 3
    assert done.result.best_epoch == errors.index(min(errors))


def test_it_is_asked_after_every_epoch_but_the_last_about_all_epochs_so_far(tmp_path):
    asked = []

    def is_hopeless(epochs):
        asked.append([record.epoch for record in epochs])
        return False

    assert run(spec(), tmp_path, DATA, is_hopeless=is_hopeless).result.state == "complete"
    assert asked == [[0], [0, 1]]


@pytest.mark.parametrize("place", ["told", "asked"])
def test_a_trial_killed_before_it_was_given_up_is_given_up_when_it_is_resumed(place, tmp_path):
    def kill(*what):
        if place == "asked" or what[0] == 1:
            raise Killed

    calls = {"on_epoch": kill} if place == "told" else {"is_hopeless": lambda e: len(e) > 1 and kill()}
    with pytest.raises(Killed):
        run(spec(max_epochs=5), tmp_path / "cut", DATA, **calls)
    resumed = run(spec(max_epochs=5), tmp_path / "cut", DATA, is_hopeless=after(2))
    straight = run(spec(max_epochs=5), tmp_path / "straight", DATA, is_hopeless=after(2))
    same = {"seconds": {}}
    assert resumed.result.model_copy(update=same) == straight.result.model_copy(update=same)


def test_a_trial_of_the_search_is_never_handed_a_test_clip(tmp_path):
    test = DATA.test
    nothing = {
        name: Padded(torch.full_like(found.values, torch.nan), found.mask)
        for name in ("text", "vision", "audio")
        if (found := getattr(test, name)) is not None
    }
    blank = with_test(DATA, target=torch.full_like(test.target, torch.nan), frames=None, **nothing)
    what = spec("baseline", splits=("val",))
    done, seen = run(what, tmp_path / "blank", blank), run(what, tmp_path / "whole", DATA)
    assert done.result.state == "complete"
    assert {name.partition("/")[0] for name in done.result.metrics} == {"val"}
    assert set(done.predictions["split"]) == {"val"}
    assert done.predictions.equals(seen.predictions)
    assert done.result.efficiency.parameters == seen.result.efficiency.parameters


def test_without_test_the_words_of_test_are_not_even_tokenised(tmp_path):
    unreadable = with_test(DATA, transcripts=None)
    assert run(spec(splits=("val",)), tmp_path / "val", unreadable).result.state == "complete"
    assert run(spec(), tmp_path / "both", unreadable).result.state == "failed"


def test_what_is_evaluated_changes_no_number_of_what_is(tmp_path):
    both = run(spec("teacher"), tmp_path / "both", DATA)
    alone = run(spec("teacher", splits=("val",)), tmp_path / "alone", DATA)
    values = {name: value for name, value in both.result.metrics.items() if name.startswith("val/")}
    assert alone.result.metrics == values
    assert alone.files[ADVICE_FILE].read_bytes() == both.files[ADVICE_FILE].read_bytes()


def test_a_trial_that_has_ended_is_not_given_up(tmp_path):
    asked = []
    done = run(spec(max_epochs=3), tmp_path, DATA, is_hopeless=lambda epochs: asked.append(len(epochs)))
    assert (done.result.state, len(done.result.epochs), asked) == ("complete", 3, [1, 2])
