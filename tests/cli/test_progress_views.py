"""What a running study looks like: on a terminal of any width, in a log, and to a program."""

import io
import json
import threading

import pytest
from rich.cells import cell_len
from rich.console import Console
from standing import ablation_plan, record, search_plan

from harness.cli import progress
from harness.cli.durations import duration
from harness.cli.progress import JsonWatcher, LiveWatcher, PlainWatcher, SilentWatcher, choose
from harness.cli.progress.plain import SILENCE_SECONDS
from harness.cli.progress.state import StudyState
from harness.cli.progress.ticker import Ticker
from harness.store.claims import Claim, MemoryClaims
from harness.study.launch.base import Began, Ended, Epoch, Lost


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def console(width=80, height=24, *, is_terminal=True):
    return Console(file=io.StringIO(), width=width, height=height, force_terminal=is_terminal)


def live(clock, width=80, height=24):
    return LiveWatcher(console(width, height), StudyState(clock))


def shown(watcher):
    """What stands below the lines now."""
    width, height = watcher.console.width, watcher.console.height
    paper = Console(file=io.StringIO(), width=width, height=height)
    paper.print(watcher.view())
    return paper.file.getvalue().splitlines()


def finish(watcher, trial, clock=None, seconds=1.0, **more):
    watcher.event(Began(trial, "worker-1"))
    if clock is not None:
        clock.now += seconds
    watcher.event(Ended(trial, "worker-1"))
    watcher.finished(record(trial, **more))


def others(*trials, host="node-b#12ab"):
    owner = MemoryClaims().owner.model_copy(update={"host": host})
    return {
        trial: Claim(name=trial, owner=owner, taken=0, expires=1, is_running=True) for trial in trials
    }


def fill(watcher, clock):
    """Everything that a view may have to show, at once."""
    watcher.planned(ablation_plan(seeds=4), {}, 2)
    finish(watcher, "teacher-0", clock)
    finish(watcher, "alone-0", clock, mae=0.532)
    finish(watcher, "alone-1", clock, state="failed")
    watcher.event(Began("advised-0", "worker-1"))
    watcher.event(Epoch("advised-0", "worker-1", 7, {"val/mae": 0.61}))
    watcher.event(Began("teacher-1", "worker-2"))
    watcher.elsewhere(others("alone-2"), {})
    watcher.buffered(2, "no MLflow server at http://tracking.example.org:5000: connection refused")


def test_the_live_view_says_everything_that_matters(clock):
    with live(clock) as watcher:
        fill(watcher, clock)
        text = "\n".join(shown(watcher))
    assert "3 of 12" in text
    assert "2 complete, 1 failed, 2 running, 6 waiting" in text
    assert "left" in text
    assert "best so far: alone seed 0, val MAE 0.532" in text
    assert "worker-1  advised seed 0" in text
    assert "epoch 7, val MAE 0.610" in text
    assert "worker-2  teacher of advised seed 1  starting" in text
    assert "1 trial with other runners: node-b (1)" in text
    assert "2 results wait for the store: no MLflow server" in text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_times_are_not_cut(width, clock):
    with live(clock, width) as watcher:
        fill(watcher, clock)
        clock.now += 4000
        lines = shown(watcher)
    assert max(map(cell_len, lines)) <= width
    assert sum(line.rstrip().endswith("1 h 6 min") for line in lines) == (2 if width > 40 else 0)
    assert any(line.rstrip().endswith(" left") for line in lines)


def test_more_workers_than_lines_are_counted(clock):
    with live(clock, height=12) as watcher:
        watcher.planned(ablation_plan(seeds=20), {}, 20)
        for number in range(20):
            watcher.event(Began(f"alone-{number}", f"worker-{number:02}"))
        lines = shown(watcher)
    assert len(lines) <= 12
    assert lines[-1].startswith("and ")
    assert lines[-1].endswith("more workers")


def test_a_study_without_anything_to_do_is_one_line(clock):
    plan = ablation_plan()
    with live(clock) as watcher:
        watcher.planned(plan, dict.fromkeys(plan.trials, "complete"), 2)
    assert watcher.console.file.getvalue() == "small: 6 trials, 6 already complete\n"


def test_a_run_that_was_stopped_says_what_is_left(clock):
    with live(clock) as watcher:
        watcher.planned(ablation_plan(), {}, 1)
        finish(watcher, "alone-0")
        watcher.event(Began("alone-1", "worker-1"))
    assert watcher.console.file.getvalue().endswith("small: 1 complete, 5 waiting in 0 s\n")


def test_lines_of_ended_trials_survive_however_fast_they_come(clock):
    with live(clock) as watcher:
        watcher.planned(ablation_plan(), {}, 2)
        for trial in ablation_plan().trials:
            finish(watcher, trial)
    text = watcher.console.file.getvalue()
    for label in ("teacher of advised seed 1", "alone seed 0", "alone seed 1"):
        assert text.count(f"{label}: 1 epoch") == 1
    assert "small: 6 complete in 0 s" in text


def test_a_thousand_epochs_in_a_moment_are_drawn_once(clock):
    with live(clock) as watcher:
        watcher.planned(ablation_plan(), {}, 2)
        watcher.event(Began("alone-0", "worker-1"))
        before = watcher.console.file.getvalue().count("of 6")
        for epoch in range(1000):
            clock.now += 0.0002
            watcher.event(Epoch("alone-0", "worker-1", epoch, {"val/mae": 1.0}))
        # The view's own second may fall into this moment.
        assert watcher.console.file.getvalue().count("of 6") - before <= 2


def test_an_open_plan_says_at_least(clock):
    with live(clock) as watcher:
        watcher.planned(search_plan(), {}, 1)
        finish(watcher, "search-0", clock, 30, mae=0.4)
        text = "\n".join(shown(watcher))
    assert "1 of at least 4" in text
    assert "at least 1 min 30 s left" in text
    assert "best so far: tuned #0, val MAE 0.400" in text


def test_the_best_is_called_this_runs_when_there_were_others(clock):
    with live(clock) as watcher:
        watcher.planned(ablation_plan(), {"alone-1": "complete"}, 1)
        finish(watcher, "alone-0", clock)
        assert any(line.startswith("best of this run: alone seed 0") for line in shown(watcher))


def test_markup_in_names_and_messages_is_shown_as_it_is(clock):
    with live(clock) as watcher:
        watcher.planned(ablation_plan(("[red]arm",)), {}, 1)
        watcher.event(Began("[red]arm-0", "worker[1]"))
        watcher.said("[bold]no[/bold]")
        assert any("[red]arm seed 0" in line and "worker[1]" in line for line in shown(watcher))
    assert "[bold]no[/bold]" in watcher.console.file.getvalue()


def plain(clock):
    return PlainWatcher(console(is_terminal=False), StudyState(clock))


def lines_of(watcher):
    return watcher.console.file.getvalue().splitlines()


def test_a_log_has_a_line_a_trial_that_ended(clock):
    watcher = plain(clock)
    watcher.found("rendered", ("1600 clips",))
    watcher.planned(ablation_plan(), {"alone-0": "complete"}, 1)
    finish(watcher, "alone-1", mae=0.5)
    finish(watcher, "advised-0", state="failed")
    finish(watcher, "advised-1", state="pruned")
    watcher.event(Began("teacher-0", "worker-1"))
    watcher.event(Lost("teacher-0", "worker-1", "killed by signal 9"))
    assert lines_of(watcher) == [
        "rendered: 1600 clips",
        "small: 6 trials, 1 already complete",
        "[2/6] alone seed 1: 1 epoch, best 0, 2 s, val MAE 0.500",
        "[3/6] advised seed 0: FAILED: the loss became nan",
        "[4/6] advised seed 1: given up after 1 epoch, 2 s",
        "[4/6] teacher of advised seed 0: lost: worker-1: killed by signal 9",
    ]


def test_a_long_line_of_a_log_is_not_broken(clock):
    watcher = plain(clock)
    watcher.said("word " * 60)
    assert len(lines_of(watcher)) == 1


def test_a_minute_of_silence_ends_with_what_is_running(clock):
    watcher = plain(clock)
    watcher.planned(search_plan(), {}, 1)
    finish(watcher, "search-0", clock, 10)
    watcher.event(Began("search-1", "worker-1"))
    watcher.event(Epoch("search-1", "worker-1", 3, {"val/mae": 0.7}))
    watcher.elsewhere(others("search-2"), {})
    clock.now += SILENCE_SECONDS - 1
    watcher.tick()
    said = len(lines_of(watcher))
    clock.now += 1
    watcher.tick()
    watcher.tick()
    assert lines_of(watcher)[said:] == [
        "[1/4+] running: tuned #1 (epoch 3, val MAE 0.700); 1 trial with other runners: node-b (1); "
        "at least 10 s left"
    ]


def test_nothing_more_is_said_when_all_has_ended(clock):
    watcher = plain(clock)
    plan = ablation_plan()
    watcher.planned(plan, dict.fromkeys(plan.trials, "complete"), 1)
    clock.now += 10 * SILENCE_SECONDS
    watcher.tick()
    assert len(lines_of(watcher)) == 1


def test_a_store_that_is_down_is_said_once_and_its_return_too(clock):
    watcher = plain(clock)
    for count, fault in ((0, ""), (1, "no server"), (2, "no server"), (0, ""), (0, "")):
        watcher.buffered(count, fault)
    assert lines_of(watcher) == [
        "1 result waits for the store: no server",
        "the store has taken all results that waited for it",
    ]


def test_a_ticker_calls_until_it_is_stopped():
    called = threading.Event()
    ticker = Ticker(0.001, called.set)
    ticker.start()
    assert called.wait(10)
    ticker.stop()
    assert "progress" not in {thread.name for thread in threading.enumerate() if thread.is_alive()}


def told(watcher, stream):
    fill(watcher, Clock())
    watcher.found("rendered", ("1600 clips",))
    watcher.event(Lost("teacher-1", "worker-2", "killed"))
    watcher.said("a line")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_event_is_a_json_object_on_its_line():
    stream = io.StringIO()
    events = told(JsonWatcher(stream), stream)
    assert [event["event"] for event in events] == [
        *["planned", "began", "ended", "began", "ended", "began", "ended"],
        *["began", "epoch", "began", "elsewhere", "buffered", "found", "lost", "said"],
    ]
    planned, ended = events[0], events[4]
    assert (planned["study"], planned["trials"], planned["workers"]) == ("small", 12, 2)
    assert planned["new_trials"]["alone-0"] == "alone seed 0"
    assert (ended["trial"], ended["state"], ended["metrics"]) == (
        "alone-0",
        "complete",
        {"val/mae": 0.532},
    )
    assert (ended["complete"], ended["trials"]) == (2, 12)
    assert events[6]["failure"] == "the loss became nan"


def test_what_is_no_number_is_null_in_json():
    stream = io.StringIO()
    watcher = JsonWatcher(stream)
    watcher.planned(ablation_plan(), {}, 1)
    watcher.event(Epoch("alone-0", "w", 0, {"val/mae": float("nan"), "val/corr": float("inf")}))
    assert json.loads(stream.getvalue().splitlines()[-1])["metrics"] == {
        "val/mae": None,
        "val/corr": None,
    }


def test_what_has_not_changed_is_not_written_again():
    stream = io.StringIO()
    watcher = JsonWatcher(stream)
    plan = ablation_plan()
    for _ in range(3):
        watcher.planned(plan, dict.fromkeys(plan.trials, "complete"), 1)
    for _ in range(3):
        watcher.elsewhere(others("alone-0"), {})
        watcher.buffered(0, "")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "planned",
        "elsewhere",
    ]


@pytest.mark.parametrize(
    ("quiet", "as_json", "kind"),
    [
        (False, False, PlainWatcher),
        (True, False, SilentWatcher),
        (False, True, JsonWatcher),
        (True, True, SilentWatcher),
    ],
)
def test_a_watcher_is_chosen_by_what_is_asked_for(quiet, as_json, kind):
    assert type(choose(quiet=quiet, as_json=as_json)) is kind


@pytest.mark.parametrize(("kind", "expected"), [("xterm", LiveWatcher), ("dumb", PlainWatcher)])
def test_a_terminal_that_can_be_drawn_on_has_the_live_view(kind, expected, monkeypatch):
    monkeypatch.setenv("TERM", kind)
    real = Console
    monkeypatch.setattr(progress, "Console", lambda stderr: real(stderr=stderr, force_terminal=True))
    assert type(choose(quiet=False, as_json=False)) is expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (11100, "3 h 5 min"),
        (200000, "2 d 7 h"),
        (-3, "0 s"),
    ],
)
def test_times_are_said_in_two_units(seconds, words):
    assert duration(seconds) == words
