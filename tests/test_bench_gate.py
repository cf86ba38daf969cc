"""When a bench counts as slower: by numbers alone, without a clock."""

import pytest
from bench_gate import RESTS, Baseline, Compared, Machine, Ratio, Stored, closing, smallest, unknown
from pydantic import ValidationError

MACHINE = Machine(cpu="one", python="3.11.1", torch="2.9.0", numpy="2.1.0")
OTHER = MACHINE.model_copy(update={"cpu": "other"})
NOTHING = Baseline(machines=(), benches={})
STORED = Ratio(kind="ops", ratio=2.0)


def run(**found):
    return {name: Ratio(kind="ops", ratio=ratio) for name, ratio in found.items()}


def compared(found, bench="file.py::bench", unlike=""):
    return Compared(bench, STORED, found, unlike)


def windows(*found):
    """Ratios as they are measured one after the other, and the seconds that were rested between."""
    left, rested = list(found), []
    return left, rested, lambda: left.pop(0), rested.append


def test_up_to_three_tenths_more_is_none_and_beyond_is_a_regression():
    assert compared(2.6).fault is None
    assert "costs 1.50 times what is stored" in compared(3.0).fault


def test_a_regression_names_the_bench_both_ratios_and_what_stores_them():
    fault = compared(3.0, "file.py::slow").fault
    assert "file.py::slow" in fault
    assert "3 loops of 'ops', stored 2," in fault
    assert fault.endswith("tox -e bench-baseline")


def test_faster_never_fails_and_is_told_at_the_end():
    assert compared(0.1).fault is None
    assert "faster than stored (0.05 times); update the baseline" in closing([compared(0.1)])[-1]
    assert len(closing([compared(1.6)])) == 1


def test_the_closing_line_says_how_many_and_the_largest():
    line = closing([compared(2.0), compared(2.2, "file.py::other"), compared(1.9)])[0]
    assert line.startswith("3 benches")
    assert "1.10 times" in line
    assert line.endswith("file.py::other")


def test_of_several_windows_the_smallest_ratio_counts():
    left, rested, again, rest = windows(4.0, 3.5, 2.5, 1.0)
    assert smallest(3.0, 2.6, again, rest) == 2.5
    assert left == [1.0]
    assert rested == list(RESTS[:3])


def test_a_bench_that_is_fast_enough_is_measured_once():
    left, rested, again, rest = windows(1.0)
    assert smallest(2.6, 2.6, again, rest) == 2.6
    assert (left, rested) == ([1.0], [])


def test_a_bench_that_stays_slow_is_given_up_after_every_rest():
    left, rested, again, rest = windows(*[3.1] * len(RESTS))
    assert smallest(3.0, 2.6, again, rest) == 3.0
    assert (left, rested) == ([], list(RESTS))


def test_a_bench_without_a_stored_ratio_is_told_what_stores_it():
    assert "no stored ratio; store it: tox -e bench-baseline" in unknown("file.py::new", "ops", None)


def test_a_ratio_to_another_kind_of_loop_is_no_ratio_to_compare_with():
    stored = Stored(kind="ops", ratios={"one": 2.0})
    assert "loops of 'python'" in unknown("file.py::bench", "python", stored)
    assert unknown("file.py::bench", "ops", stored) is None


def test_another_machine_is_said_where_a_bench_fails_and_at_the_end():
    baseline = Baseline(machines=(OTHER, MACHINE), benches={})
    unlike = baseline.unlike(MACHINE.model_copy(update={"torch": "2.10.0"}))
    assert unlike == "torch is 2.10.0, stored 2.9.0"
    assert unlike in compared(3.0, unlike=unlike).fault
    assert closing([compared(2.0, unlike=unlike)])[-1].endswith(unlike)
    assert baseline.unlike(MACHINE) == ""
    third = MACHINE.model_copy(update={"cpu": "third"})
    assert baseline.unlike(third) == "cpu is third, stored other and one, of which the larger counts"


def test_a_processor_has_its_own_ratio_and_one_that_nobody_stored_the_largest():
    stored = Stored(kind="ops", ratios={"one": 2.0, "other": 3.0})
    assert [stored.on(cpu).ratio for cpu in ("one", "other", "third")] == [2.0, 3.0, 3.0]


def test_what_is_stored_anew_on_one_processor_leaves_the_ratios_of_another():
    first = NOTHING.stored_anew(MACHINE, [run(a=1.0, b=2.0, gone=1.0)])
    both = first.stored_anew(OTHER, [run(a=3.0, b=4.0)])
    assert both.machines == (MACHINE, OTHER)
    again = both.stored_anew(
        OTHER, [{"a": Ratio(kind="ops", ratio=5.0), "b": Ratio(kind="new", ratio=9.0)}]
    )
    assert again.machines == (MACHINE, OTHER)
    assert again.benches == {
        "a": Stored(kind="ops", ratios={"one": 1.0, "other": 5.0}),
        "b": Stored(kind="new", ratios={"other": 9.0}),
    }


def test_the_median_of_runs_is_stored_and_benches_that_are_gone_are_not():
    runs = [run(a=1.0, gone=1.0), run(a=9.0, b=3.0), run(a=2.0, b=5.0)]
    found = NOTHING.stored_anew(MACHINE, runs).benches
    assert {name: each.ratios for name, each in found.items()} == {"a": {"one": 2.0}, "b": {"one": 4.0}}


def test_ratios_to_another_kind_of_loop_are_no_part_of_the_median():
    runs = [{"a": Ratio(kind="python", ratio=50.0)}, run(a=2.0)]
    assert NOTHING.stored_anew(MACHINE, runs).benches["a"].on("one") == STORED


def test_what_is_written_is_read_a_bench_a_line(tmp_path):
    baseline = NOTHING.stored_anew(MACHINE, [{"file.py::a[é]": STORED, "file.py::b": STORED}])
    baseline.write(tmp_path / "baseline.json")
    assert Baseline.read(tmp_path / "baseline.json") == baseline
    lines = (tmp_path / "baseline.json").read_text().splitlines()
    assert sum('"kind": "ops"' in line for line in lines) == 2


def test_a_stored_ratio_is_missed_only_in_files_that_were_collected():
    baseline = NOTHING.stored_anew(
        MACHINE, [run(**{"a.py::one": 1.0, "a.py::two": 1.0, "b.py::one": 1.0})]
    )
    assert baseline.without_bench(["a.py::one"]) == ["a.py::two"]
    assert baseline.without_bench([]) == []


def test_no_ratio_is_zero():
    with pytest.raises(ValidationError, match="greater than 0"):
        Ratio(kind="ops", ratio=0)
    with pytest.raises(ValidationError, match="greater than 0"):
        Stored(kind="ops", ratios={"one": 0})
