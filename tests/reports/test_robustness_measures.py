"""Areas, relative and effective robustness, and crossings, against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from report_samples import TEACHER, spec
from robustness_samples import RANDOM, SUBSETS, Asked, collected, mae, put

from harness.spec import Missing
from reports.layout import load_layout
from reports.robustness.baseline import baseline_of
from reports.robustness.crossings import meetings
from reports.robustness.curves import Panel, panels
from reports.robustness.measures import area, effective, measures, scaled

LAYOUT = load_layout("sentiment")


def panel(study: Asked, metric: str = "mae") -> Panel:
    return next(one for one in panels(collected(study), LAYOUT) if one.metric.name == metric)


def asked(**lines: tuple[float, ...]) -> Asked:
    """Arms by name; those that start with `text` read text only."""
    study = Asked(RANDOM)
    for arm, values in lines.items():
        views = ("transcript",) if arm.startswith("text") else ()
        study.answers(arm, mae(*values), *views)
    return study


def beside(study: Asked) -> dict[str, str]:
    return {one.arm: one.words for one in meetings(panel(study)) if one.single == "text"}


def question(*levels: float):
    protocol = {"protocol": "audio_noise", "levels": levels}
    return put(protocol)[0]


def test_an_area_is_of_trapezoids_over_the_length_of_the_axis():
    assert area(question(0, 1, 4), np.array([1.0, 3.0, 5.0])) == pytest.approx((2 + 12) / 4)


def test_the_area_of_a_constant_is_the_constant_whatever_the_levels():
    assert area(question(0, 0.25, 4), np.full(3, 0.7)) == pytest.approx(0.7)


def test_subsets_have_no_axis_and_are_averaged():
    study = Asked(SUBSETS)
    study.answers("tfn", lambda condition, seed: {"mae": float(len(condition.modalities))})
    assert measures(panel(study), None)["tfn"].area.mean == pytest.approx((3 + 3 * 2 + 3 * 1) / 7)


def test_multibenchs_own_formulas_give_the_same_numbers():
    # Eleven levels of 0.1, as there: area by steps of 0.1, and the sum of differences to late fusion.
    rng = np.random.default_rng(0)
    f, late = rng.random(11), rng.random(11)
    steps = sum((f[i] + f[i + 1]) * 0.1 / 2 for i in range(10))
    assert area(question(*np.linspace(0, 1, 11)), f) == pytest.approx(steps)
    expected = sum(f[i] - (late[i] + (f[0] - late[0])) for i in range(11))
    assert effective(f, late) == pytest.approx(expected)


def test_scaling_puts_the_worst_at_0_and_the_best_at_1():
    assert scaled({"a": 2.0, "b": 4.0, "c": 2.5}) == {"a": 0.0, "b": 1.0, "c": 0.25}
    assert all(math.isnan(value) for value in scaled({"a": 2.0, "b": 2.0}).values())
    assert scaled({"a": math.nan, "b": 0.0, "c": 1.0})["c"] == 1.0


def test_a_lower_error_is_more_robust_and_a_slower_fall_more_effective():
    found = measures(panel(asked(late=(1, 2, 3), steady=(2, 2.5, 3), text=(3, 3, 3))), "late")
    assert found["late"].area.mean == pytest.approx(2.05)
    assert found["late"].area.sd == pytest.approx(0.1 / math.sqrt(2))
    assert (found["late"].relative, found["text"].relative) == (1.0, 0.0)
    assert found["late"].effective == 0
    assert found["steady"].effective == pytest.approx((2.5 - 3) * -1 + (3 - 4) * -1)
    assert found["text"].effective == pytest.approx(1 + 2)
    assert found["text"].effective_scaled == 1.0


def test_without_a_baseline_there_is_no_effective_robustness():
    found = measures(panel(asked(one=(1, 2, 3))), None)["one"]
    assert math.isnan(found.effective)


def test_the_baseline_is_a_late_fusion_that_was_trained_on_complete_clips():
    study = asked(plain=(1, 2, 3))
    assert baseline_of(collected(study), LAYOUT, "plain").arm == "plain"
    assert "reference" in baseline_of(collected(study), LAYOUT, "plain").words
    assert baseline_of(collected(study), LAYOUT, None).arm is None
    study.answers("dropped", mae(1, 1, 1), model="lf_dnn", missing=Missing(rate=0.3))
    study.answers("late", mae(1, 1, 1), model="lf_dnn")
    assert baseline_of(collected(study), LAYOUT, "plain").arm == "late"


def test_lines_cross_where_straight_lines_between_measured_levels_do():
    study = asked(text=(1, 1, 1), falls=(0.8, 0.9, 1.3))
    (found,) = [one for one in meetings(panel(study)) if one.single == "text"]
    (crossing,) = found.crossings
    assert crossing.level == pytest.approx(0.5 + 0.5 * 0.1 / 0.4)
    assert crossing.value == pytest.approx(1.05)
    assert crossing.single_gains
    assert found.words == "from 0.625"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.5, 0.6, 0.7), "never"),
        ((1.5, 1.6, 1.7), "everywhere"),
        ((1, 1, 1), "never (equal)"),
        ((1, 1, 1.2), "everywhere"),
        ((1.5, 0.5, 0.5), "up to 0.25"),
        ((1.5, 0.5, 1.5), "up to 0.25, from 0.75"),
        ((0.5, 1.5, 0.5), "from 0.25 to 0.75"),
        ((0.5, 1, 1.5), "from 0.5"),
        ((0.5, 1, 0.5), "never"),
        ((math.nan, 0.5, 1.5), "from 0.75 (undefined at 0)"),
        ((math.nan, math.nan, math.nan), "at no defined level"),
    ],
)
def test_where_the_one_modality_arm_is_better_is_said_in_words(values, words):
    assert beside(asked(text=(1, 1, 1), arm=values))["arm"] == words


def test_of_subsets_those_are_named_with_which_one_modality_is_better():
    study = Asked(SUBSETS)
    study.answers("text", lambda condition, seed: {"mae": 1.0}, "text")
    study.answers("tfn", lambda condition, seed: {"mae": 3.5 - len(condition.modalities)})
    (found,) = [one for one in meetings(panel(study)) if one.single == "text"]
    assert (found.words, found.crossings) == ("with T+V, T+A, V+A, T, V, A", ())


def test_higher_correlation_is_better():
    study = Asked(RANDOM)
    study.answers("text", lambda condition, seed: {"corr": 0.5}, "text")
    study.answers("tfn", lambda condition, seed: {"corr": 0.9 - 0.8 * condition.level})
    found = meetings(panel(study, "corr"))
    assert [one.words for one in found if one.arm == "tfn"] == ["from 0.5"]


def test_an_arm_stands_when_not_a_bit_of_any_metric_moves_in_any_seed():
    study = Asked(RANDOM)
    study.answers("still", lambda condition, seed: {"mae": 0.1 + seed, "corr": math.nan}, "text")
    study.answers("moved", lambda condition, seed: {"mae": 1 + 1e-15 * (condition.level == 1)})
    study.answers("late", lambda condition, seed: {"mae": 1.0 + seed * condition.level})
    assert {one.arm: one.stands for one in panel(study).curves} == {
        "still": True,
        "moved": False,
        "late": False,
    }


def test_who_reads_one_modality_is_known_by_views_and_a_student_without_them_reads_text():
    study = asked(text=(1, 1, 1), both=(1, 1, 1))
    study.answers("sound", mae(1, 1, 1), "audio")
    study.answers("words", mae(1, 1, 1), "transcript", "token_ids")
    found = {one.arm: one.only for one in panel(study).curves}
    assert found == {"text": "text", "both": "", "sound": "audio", "words": "text"}


def test_a_seed_without_every_answer_is_not_counted():
    study = asked(one=(1, 2, 3))
    record, shown = study.kept[1]
    study.kept[1] = (record.model_copy(update={"robustness": record.robustness[:2]}), shown)
    (curve,) = panel(study).curves
    assert len(curve.seeds) == 1
    assert curve.means.tolist() == [1, 2, 3]


def test_an_arm_without_answers_has_a_place_and_no_line():
    study = asked(one=(1, 2, 3))
    study.arms = [*study.arms, "old"]
    for seed in study.seeds:
        study.specs["old", seed] = spec(seed, **TEACHER)
        study.gives("old", seed, [1] * 4)
    found = panel(study)
    assert [one.arm for one in found.curves] == ["one", "old"]
    assert [one.arm for one in found.drawn] == ["one"]


def test_protocols_of_one_kind_have_names_of_their_own():
    kinds = [
        {"protocol": "temporal"},
        {"protocol": "temporal", "modalities": ("vision",)},
        {"protocol": "temporal", "rates": (0, 1)},
    ]
    assert [one.name for one in put(*kinds)] == ["temporal", "temporal_vision", "temporal_2"]
