"""What a report says of searches: every trial, its cost, what was chosen, and nothing of test."""

from __future__ import annotations

import io
import random
from itertools import pairwise

import pandas as pd
import pytest
from report_samples import efficiency, environment
from search_samples import RATE, WIDTH, Searched, front, one_objective

from harness.spec import BadInput
from reports import Table, build_table, collect
from reports.layout import load_layout
from reports.search.best import best, best_so_far
from reports.search.render import front_csv, search_csv, search_markdown
from reports.search.words import short_names

LAYOUT = load_layout("sentiment").model_copy(update={"controls": ()})


def table(study: Searched) -> Table:
    return build_table(collect(study.store(), "tuned"), LAYOUT)


def notes(study: Searched) -> str:
    return "\n".join(table(study).notes)


def warnings(study: Searched) -> str:
    return "\n".join(table(study).warnings)


def rows(study: Searched) -> pd.DataFrame:
    written = search_csv(collect(study.store(), "tuned"), study.study)
    return pd.read_csv(io.StringIO(written), keep_default_na=False)


def test_the_table_has_the_chosen_rows_and_no_trial_of_a_search():
    assert [row.arm for row in table(one_objective()).rows] == ["plain", "taught"]
    assert [row.arm for row in table(front()).rows] == ["searched #2", "searched #3"]


def test_every_trial_of_every_search_is_a_row_by_arm_and_number():
    found = rows(one_objective())
    places = list(zip(found["arm"], found["number"], strict=True))
    assert places == [(arm, number) for arm in ("plain", "taught") for number in range(4)]
    assert list(found["state"]) == [
        *("complete", "complete", "pruned", "complete"),
        *("complete", "failed", "pruned", "complete"),
    ]
    assert list(found["epochs"]) == [10, 20, 3, 10, 10, 0, 5, 10]


def test_values_read_back_to_the_last_digit_and_are_absent_where_there_are_none():
    study = Searched("plain")
    study.tries("plain", 0, 1 / 3, **{WIDTH: None})
    study.gives_up("plain", 1, 2)
    found = rows(study)
    assert float(found["val/mae"][0]) == 1 / 3
    assert found["val/mae"][1] == ""
    assert list(found[WIDTH]) == ["null", ""]


def test_best_and_chosen_are_marked():
    found = rows(one_objective())
    marked = found[found["best"]]
    assert list(zip(marked["arm"], marked["number"], strict=True)) == [("plain", 1), ("taught", 0)]
    assert found["best"].equals(found["chosen"])
    lines = search_markdown(collect(one_objective().store(), "tuned"), one_objective().study)
    assert "| **1** ✓ | complete | 20/30    | **0.600**" in lines


def test_of_equal_values_the_earlier_trial_is_the_best():
    study = Searched("plain")
    for number, mae in enumerate((0.5, 0.4, 0.4)):
        study.tries("plain", number, mae)
    (found,) = best(collect(study.store(), "tuned").tries, study.study.search)
    assert found.number == 1


def test_the_front_is_what_comparing_every_pair_gives():
    draw = random.Random(0)
    study = Searched("one", objective=("val/mae", "val/corr", "parameters"), trials=60)
    points = {}
    for number in range(60):
        # Few values about a plane, so that many points are of the front and some are equal.
        mae, corr = draw.randint(1, 5), draw.randint(1, 5)
        size = 10 - mae + corr + draw.randint(0, 1)
        points[number] = (mae, -corr, size)
        record = {"metrics": {"val/mae": mae, "val/corr": corr}, "efficiency": efficiency(size, 1.0)}
        study.tries("one", number, mae, record=record)
    expected = [
        number
        for number, mine in points.items()
        if not any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True))
            for other in points.values()
        )
    ]
    found = best(collect(study.store(), "tuned").tries, study.study.search)
    assert [one.number for one in found] == expected
    assert 1 < len({points[number] for number in expected}) < len(expected) < 60


def test_the_best_so_far_never_gets_worse_in_its_direction():
    for objective, better in (("val/mae", min), ("val/corr", max)):
        study = Searched("plain", objective=objective)
        for number, value in enumerate((0.5, 0.3, 0.6, 0.2)):
            study.tries("plain", number, 0, record={"metrics": {objective: value}})
        line = best_so_far(collect(study.store(), "tuned").tries, study.study.search)
        assert [number for number, _ in line] == [0, 1, 2, 3]
        assert all(better(before, after) == after for (_, before), (_, after) in pairwise(line))


def test_front_points_that_were_run_again_have_their_spread_over_seeds():
    study = front()
    found = pd.read_csv(io.StringIO(front_csv(collect(study.store(), "tuned"), study.study)))
    assert list(found["number"]) == [0, 2, 3, 4]
    assert list(found["chosen"]) == [False, True, True, False]
    again = found.set_index("number").loc[3]
    assert again["row"] == "searched #3"
    assert again["again_val/mae_mean"] == pytest.approx(0.72)
    assert again["again_val/mae_sd"] == pytest.approx(0.04 / 2**0.5)
    assert found.set_index("number").loc[0].isna()["again_val/mae_n"]


def test_a_value_that_is_no_number_is_no_value():
    study = Searched("plain")
    study.tries("plain", 0, float("nan"))
    study.tries("plain", 1, 0.5)
    found = rows(study)
    assert list(found["val/mae"]) == ["", "0.5"]
    assert list(found["best"]) == [False, True]


def test_the_notes_say_how_arms_were_tuned_and_what_was_chosen():
    said = notes(one_objective())
    for fact in (
        "sampler tpe, 4 trials an arm, 4 proposed at once, pruner median, search seed 1000",
        "objective val/mae (lower is better)",
        "Search of plain: 4 trials: 3 complete, 1 pruned.",
        "Search of taught: 4 trials: 2 complete, 1 pruned, 1 failed.",
        "Epochs spent on searches: 68",
        "Test clips were never evaluated in a search",
        "plain is trial #1 of its search (val/mae 0.600 there): width 32, learning_rate 0.01.",
        "taught is trial #0 of its search, the study file's values where its space holds them",
    ):
        assert fact in said


def test_what_the_pruner_saved_is_counted_by_hand():
    # Pruned after 3 and 5 of 30 epochs; complete after 10, 20, 10, 10, 10: 12 on average, 68 in all.
    said = notes(one_objective())
    assert "gave up 2 trials, which ran 8 of the 60 epochs" in said
    assert f"{52 / 60:.0%} of these were not run, or {52 / (68 + 52):.0%} of these and" in said
    assert f"(12.0 epochs), {(9 + 7) / (68 + 9 + 7):.0%} of all were saved" in said
    assert "pruner (" not in notes(one_objective(pruner={"name": "none"}))


def test_equal_proposals_are_two_rows_but_one_training():
    study = Searched("plain")
    study.tries("plain", 0, 0.5, epochs=7)
    study.proposes("plain", 1, trial_id="plain-s0")
    store = study.store()
    assert [one.epochs for one in collect(store, "tuned").tries] == [7, 7]
    assert "Epochs spent on searches: 7," in notes(study)


def test_each_record_is_read_once():
    study = one_objective()
    study.proposes("plain", 4, trial_id="plain-s0")
    store = study.store()
    collect(store, "tuned")
    assert sorted(store.reads) == sorted(study.specs)


def test_a_running_study_is_reported_as_far_as_it_is():
    study = Searched("plain", "taught", reference="plain", is_open=True)
    study.tries("plain", 0, 0.5)
    study.proposes("plain", 1)
    assert table(study).rows == ()
    said = warnings(study)
    assert "the study is not finished" in said
    assert "tuning budgets are not equal, finished trials of each search: plain 1, taught 0." in said
    assert "taught has no row: nothing is chosen for it, its search goes on." in said
    assert "1 complete, 1 without a result yet" in notes(study)


def test_an_arm_is_shown_although_its_reference_has_not_been_chosen_yet():
    study = Searched("plain", "taught", reference="plain", is_open=True)
    study.tries("taught", 0, 0.5)
    study.chooses("taught", 0)
    found = table(study).row("taught")
    assert found.difference is None
    assert found.unpaired == "no seed is complete in both"
    with pytest.raises(BadInput, match="did you mean 'taught'"):
        build_table(collect(study.store(), "tuned"), LAYOUT, reference="taugt")


def test_a_search_none_of_whose_trials_gave_a_value_says_why_there_is_no_row():
    study = Searched("plain", trials=2)
    study.fails("plain", 0)
    study.gives_up("plain", 1, 2)
    assert (
        "plain has no row: nothing is chosen for it, none of its trials gave a value. "
        "Failed with: loss is NaN." in warnings(study)
    )


def test_values_that_make_no_trial_are_counted_as_proposed():
    study = Searched("plain", trials=3)
    study.tries("plain", 0, 0.5)
    study.tries("plain", 2, 0.6)
    assert "Search of plain: 2 trials: 2 complete; 1 more proposed, whose values make none." in notes(
        study
    )


def test_a_finished_study_with_equal_budgets_has_no_warning_of_its_search():
    said = warnings(one_objective())
    for word in ("finished", "budgets", "chosen", "SEARCHED"):
        assert word not in said


def test_a_choice_that_the_records_do_not_bear_out_is_called_so():
    study = Searched("plain")
    study.tries("plain", 0, 0.5)
    study.tries("plain", 1, 0.4)
    study.chooses("plain", 0)
    assert "plain is trial #0 of its search, and by the records in this store #1 should" in warnings(
        study
    )


def test_a_search_that_saw_test_is_accused_loudly():
    study = Searched("plain")
    study.tries("plain", 0, 0.5, record={"metrics": {"val/mae": 0.5, "test/mae": 0.4}})
    assert "SEARCHED ON TEST: trials of searches were evaluated on test clips (plain #0)" in warnings(
        study
    )
    assert "never evaluated" not in notes(study)
    assert "test" not in search_csv(collect(study.store(), "tuned"), study.study)


def test_latencies_of_different_machines_are_no_front():
    study = Searched("plain", objective=("val/mae", "latency_ms"))
    for number, cpu in enumerate(("one cpu", "another cpu")):
        study.tries("plain", number, 0.5, record={"environment": environment(cpu=cpu)})
    assert "latencies of search trials were measured under different conditions" in warnings(study)
    assert "different conditions" not in warnings(one_objective())


def test_a_chosen_batch_size_is_no_other_budget():
    study = one_objective()
    batch = "student.optimisation.batch_size"
    for number, (arm, size) in enumerate((("plain", 16), ("taught", 64))):
        study.tries(arm, 4 + number, 0.1, **{batch: size})
        study.members = [one for one in study.members if one.arm != arm]
        study.chooses(arm, 4 + number)
    assert "Every arm has the same budget: at most 30 epochs, patience 4, batch as tuning chose" in (
        notes(study)
    )


def test_short_names_are_the_shortest_that_differ():
    assert short_names([RATE, WIDTH, "teacher.model.width"]) == {
        RATE: "learning_rate",
        WIDTH: "student.model.width",
        "teacher.model.width": "teacher.model.width",
    }
    weight = "student.losses.kl.weight"
    assert short_names([weight, RATE]) == {weight: "kl.weight", RATE: "learning_rate"}
