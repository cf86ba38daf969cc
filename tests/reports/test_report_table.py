from __future__ import annotations

import math

import pytest
from report_samples import FAILED, NAN, TEACHER, Study, advised, efficiency, environment, spec

from harness.spec import BadInput, Optimisation, VariantRef
from reports import Table, build_table, collect
from reports.layout import Layout, LayoutColumn, load_layout
from reports.statistics import Bootstrap

LAYOUT = Layout(
    name="small",
    caption="Small",
    split="test",
    columns=tuple(
        LayoutColumn(metric=name, spread=name != "parameters")
        for name in ("mae", "corr", "parameters", "latency_ms")
    ),
    bootstrap=Bootstrap(resamples=999),
    controls=load_layout("sentiment").controls,
    naming=load_layout("sentiment").naming,
)


def table(study: Study, reference: str | None = None) -> Table:
    return build_table(collect(study.store(), "small"), LAYOUT, reference)


def filled(arms: dict[str, float], **more: object) -> Study:
    """Arms whose error is the same on every clip and seed but one."""
    study = Study(list(arms), [0, 1])
    for arm, error in arms.items():
        for seed in (0, 1):
            study.gives(arm, seed, [error, error, error, error + seed], **more)
    return study


def test_a_cell_is_the_mean_and_sample_sd_over_seeds() -> None:
    cell = table(filled({"plain": 1.0})).cell("plain", "mae")
    assert cell.summary.mean == pytest.approx(1.125)
    assert cell.summary.sd == pytest.approx(0.25 / math.sqrt(2))
    assert cell.summary.n == 2


def test_parameters_are_shown_in_millions() -> None:
    cell = table(filled({"plain": 1.0}, efficiency=efficiency(2_500_000, 1.0))).cell(
        "plain", "parameters"
    )
    assert cell.summary.mean == 2.5


def test_lower_is_best_for_errors_and_higher_for_correlation() -> None:
    study = Study(["plain", "other"], [0])
    study.gives("plain", 0, [1] * 4, metrics={"corr": 0.9})
    study.gives("other", 0, [2] * 4, metrics={"corr": 0.1})
    found = table(study)
    assert [found.cell("plain", name).best for name in ("mae", "corr")] == [True, True]
    assert [found.cell("other", name).best for name in ("mae", "corr")] == [False, False]


def test_all_arms_of_a_tie_are_best() -> None:
    found = table(filled({"plain": 1.0, "twin": 1.0, "worse": 2.0}))
    assert [row.cells[0].best for row in found.rows] == [True, True, False]


def test_an_undefined_value_is_never_best() -> None:
    study = Study(["plain", "other"], [0])
    study.gives("plain", 0, [1] * 4, metrics={"corr": NAN})
    study.gives("other", 0, [2] * 4, metrics={"corr": -0.9})
    found = table(study)
    assert not found.cell("plain", "corr").best
    assert found.cell("other", "corr").best


def test_an_undefined_seed_makes_the_cell_undefined_rather_than_smaller() -> None:
    study = Study(["plain"], [0, 1])
    study.gives("plain", 0, [1] * 4, metrics={"corr": 0.5})
    study.gives("plain", 1, [1] * 4, metrics={"corr": NAN})
    summary = table(study).cell("plain", "corr").summary
    assert math.isnan(summary.mean)
    assert summary.n == 2


def test_an_arm_with_a_missing_or_failed_seed_is_counted_warned_of_and_never_best() -> None:
    study = Study(["plain", "half"], [0, 1, 2])
    for seed in (0, 1, 2):
        study.gives("plain", seed, [1, 1, 1, 2 + seed])
    study.gives("half", 0, [0.1] * 4)
    study.gives("half", 1, FAILED)
    found = table(study)
    row = found.row("half")
    assert (row.planned, row.complete, row.failed, row.missing) == (3, 1, 1, 1)
    assert not any(cell.best for cell in row.cells)
    assert found.cell("plain", "mae").best
    assert row.difference is not None
    assert row.difference.seeds.n == 1
    assert any(
        "half: seeds complete 1/3 (1 failed, 1 missing)" in warning and "loss is NaN" in warning
        for warning in found.warnings
    )


def test_the_difference_is_to_the_studys_reference_or_to_another_that_is_asked_for() -> None:
    study = filled({"plain": 1.0, "good": 0.5})
    assert table(study).row("good").difference.estimate == pytest.approx(-0.5)
    assert table(study).row("plain").difference is None
    assert table(study, "good").row("plain").difference.estimate == pytest.approx(0.5)
    assert table(study, "good").row("good").is_reference


def test_an_unknown_reference_is_bad_input_with_the_nearest_arm() -> None:
    with pytest.raises(BadInput, match=r"^reference: no arm 'plian' .*; did you mean 'plain'"):
        table(filled({"plain": 1.0}), "plian")


def test_a_study_without_reference_has_no_differences_and_says_so() -> None:
    study = filled({"plain": 1.0, "good": 0.5})
    study.reference = None
    found = table(study)
    assert all(row.difference is None for row in found.rows)
    assert any("no reference arm" in warning for warning in found.warnings)


def test_one_more_arm_moves_no_other_interval() -> None:
    two, three = filled({"plain": 1.0, "good": 0.5}), filled({"plain": 1.0, "new": 0.7, "good": 0.5})
    assert table(two).row("good").difference == table(three).row("good").difference


def test_an_arm_on_other_clips_has_no_difference_and_the_reason_is_said() -> None:
    study = filled({"plain": 1.0, "other": 0.5})
    study.kept = [
        (record, shown.assign(target=0.5) if record.trial_id.startswith("other") else shown)
        for record, shown in study.kept
    ]
    found = table(study)
    assert found.row("other").difference is None
    assert any("other has no difference" in w and "target" in w for w in found.warnings)


def test_a_protocol_with_another_mae_is_pointed_out() -> None:
    study = filled({"plain": 1.0, "good": 0.5}, metrics={"mae": 0.3})
    assert any("protocol's MAE of good" in warning for warning in table(study).warnings)


def test_latencies_of_different_machines_or_threads_are_warned_of() -> None:
    study = Study(["plain", "other"], [0])
    study.gives("plain", 0, [1] * 4)
    study.gives("other", 0, [2] * 4, efficiency=efficiency(1, 2.0, threads=4))
    (warning,) = [w for w in table(study).warnings if "latencies" in w]
    assert "1 intra-op and 1 inter-op threads" in warning
    assert "4 intra-op" in warning
    assert "(other)" in warning


def test_different_code_or_data_is_warned_of() -> None:
    study = Study(["plain", "other"], [0])
    study.gives("plain", 0, [1] * 4)
    study.gives("other", 0, [2] * 4, environment=environment(code_revision="new"), data_fingerprint="d2")
    warnings = table(study).warnings
    assert "code revision differs: abc1234 (plain); new (other)." in warnings
    assert "data fingerprint differs: d1 (plain); d2 (other)." in warnings


def test_equal_budgets_are_stated_and_unequal_ones_flagged() -> None:
    study = filled({"plain": 1.0, "short": 0.5})
    assert any(
        note.startswith("Every arm has the same budget: at most 30") for note in table(study).notes
    )
    short = Optimisation(max_epochs=3)
    study = Study(["plain", "short"], [0])
    study.trains("short", lambda seed: spec(seed, optimisation=short))
    (note,) = [note for note in table(study).notes if "BUDGETS DIFFER" in note]
    assert "at most 3 epochs, patience 4, batch 32 (short)" in note


def test_distilled_students_without_a_control_are_warned_of() -> None:
    study = Study(["taught"], [0], reference=None)
    study.trains("taught", advised)
    warnings = " ".join(table(study).warnings)
    assert "a student without distillation is missing" in warnings
    assert "a text-only control is missing" in warnings


def test_a_text_only_baseline_is_a_control_but_no_student() -> None:
    study = Study(["taught", "words"], [0], reference="words")
    study.trains("taught", advised)
    model = VariantRef(name="text_only")
    study.trains("words", lambda seed: spec(seed, role="baseline", model=model))
    warnings = " ".join(table(study).warnings)
    assert "a student without distillation is missing" in warnings
    assert "text-only control" not in warnings


def test_a_study_without_distillation_needs_no_control() -> None:
    study = Study(["teacher"], [0], reference=None)
    study.trains("teacher", lambda seed: spec(seed, **TEACHER))
    assert not any("missing from this table" in warning for warning in table(study).warnings)


def test_two_step_distillation_is_called_our_reading() -> None:
    study = Study(["plain", "taught"], [0])
    study.trains("taught", advised)
    (note,) = [note for note in table(study).notes if "VideoAdviser" in note]
    assert note.startswith("taught: VideoAdviser (our reading)")


def test_what_trials_say_of_themselves_is_said_once_with_the_arms_it_is_about() -> None:
    study = filled({"plain": 1.0, "good": 0.5}, notes=("weights are random",))
    assert [note for note in table(study).notes if "random" in note] == [
        "plain, good: weights are random."
    ]


def test_an_unknown_study_is_bad_input_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match="no study 'smal' in this store; did you mean 'small'"):
        collect(filled({"plain": 1.0}).store(), "smal")


def test_an_unknown_layout_is_bad_input() -> None:
    with pytest.raises(BadInput, match="unknown layout 'sentimant'; did you mean 'sentiment'"):
        load_layout("sentimant")


def test_the_shipped_layout_has_the_columns_of_a_sentiment_table() -> None:
    shown = [column.metric for column in load_layout("sentiment").columns]
    assert shown[:7] == ["mae", "corr", "acc2_has0", "acc2_non0", "f1_has0", "f1_non0", "acc7"]
    assert shown[7:] == ["parameters", "latency_ms"]
