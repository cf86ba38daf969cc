"""Numbers computed twice elsewhere from the definitions: ours must be the same."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from harness.metrics.protocols import (
    MAG_BERT,
    MAG_BERT_USE_ZERO,
    MISA,
    MISA_REPORT,
    MMSA,
    MULT,
    MULT_INCLUDE_ZERO,
    SDK_MOSEI,
    SIMS,
    Levels,
)
from harness.metrics.sentiment import level, measure, sentiment_metrics, weighted_f1

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text())
COMMON = {name: name for name in ("mae", "corr", "acc7", "acc5", "acc3")}

# Group of expected numbers: the rules they follow, and our name of each number.
GROUPS = {
    "mmsa_mosi_mosei": (
        MMSA,
        {
            "has0_acc2": "acc2_has0",
            "has0_f1": "f1_has0",
            "non0_acc2": "acc2_non0",
            "non0_f1": "f1_non0",
        },
    ),
    "mult_exclude_zero": (MULT, {"acc2": "acc2_non0", "f1_swapped": "f1_non0"}),
    "mult_include_zero": (MULT_INCLUDE_ZERO, {"acc2": "acc2_has0", "f1_swapped": "f1_has0"}),
    "misa": (
        MISA,
        {
            "acc2_posneg": "acc2_non0",
            "f1_posneg_swapped": "f1_non0",
            "acc2_nonneg": "acc2_has0",
            "f1_nonneg_report": "f1_has0",
        },
    ),
    "mag_bert_default": (
        MAG_BERT,
        {"mae": "mae", "corr": "corr", "acc2": "acc2_non0", "f1": "f1_non0"},
    ),
    "mag_bert_use_zero": (
        MAG_BERT_USE_ZERO,
        {"mae": "mae", "corr": "corr", "acc2": "acc2_has0", "f1": "f1_has0"},
    ),
}


def each(section):
    return [pytest.param(vector, id=vector["id"]) for vector in ORACLES[section]]


def close(expected):
    return pytest.approx(float(expected), abs=ORACLES["tolerance_abs"], nan_ok=True)


def arrays(vector):
    return np.array(vector["y_pred"]), np.array(vector["y_true"])


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("vector", each("regression_mosi_mosei"))
def test_every_published_code_has_its_own_numbers(vector, group):
    rules, names = GROUPS[group]
    found = measure(*arrays(vector), rules)
    assert {theirs: found[ours] for theirs, ours in names.items()} == {
        theirs: close(vector["expected"][group][theirs]) for theirs in names
    }


@pytest.mark.parametrize(
    "rules", [MMSA, MULT, MULT_INCLUDE_ZERO, MISA], ids=["mmsa", "mult", "mult0", "misa"]
)
@pytest.mark.parametrize("vector", each("regression_mosi_mosei"))
def test_the_core_is_common_to_the_published_codes(vector, rules):
    found = measure(*arrays(vector), rules)
    assert {name: found[name] for name in COMMON} == {
        name: close(vector["expected"]["common"][name]) for name in COMMON
    }


@pytest.mark.parametrize("vector", each("regression_mosi_mosei"))
def test_the_report_of_misa_weighs_by_labels(vector):
    found = measure(*arrays(vector), MISA_REPORT)
    assert found["f1_non0"] == close(vector["expected"]["misa"]["f1_posneg_report"])
    assert found["f1_has0"] == close(vector["expected"]["misa"]["f1_nonneg_report"])


@pytest.mark.parametrize("vector", each("regression_mosi_mosei"))
def test_the_sdk_rounds_away_from_zero(vector):
    found = sentiment_metrics(*arrays(vector), "sdk_mosei")
    assert found["acc7"] == close(vector["expected"]["sdk_mosei_acc7_away_from_zero"])


@pytest.mark.parametrize("vector", each("regression_mosi_mosei"))
def test_the_vectors_count_clips_as_the_rules_do(vector):
    _, target = arrays(vector)
    expected = vector["expected"]
    assert (len(target), np.count_nonzero(target)) == (expected["n"], expected["n_nonzero_labels"])
    assert expected["mag_bert_default"]["n_used"] == expected["n_nonzero_labels"]
    assert expected["mag_bert_use_zero"]["n_used"] == expected["n"]


@pytest.mark.parametrize("vector", each("regression_sims"))
def test_sims_has_its_own_numbers(vector):
    names = {
        "mae": "mae",
        "corr": "corr",
        "acc2": "acc2_has0",
        "f1": "f1_has0",
        "acc3": "acc3",
        "acc5": "acc5",
    }
    found = sentiment_metrics(*arrays(vector), "sims")
    assert found == {ours: close(vector["expected"][theirs]) for theirs, ours in names.items()}


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("vector", each("regression_sims"))
def test_sims_bins_are_closed_on_the_right(vector, count):
    levels = {
        "2": Levels("right_closed", edges=(0.0,)),
        "3": SIMS.levels["acc3"],
        "5": SIMS.levels["acc5"],
    }
    score, target = (values.clip(-1, 1) for values in arrays(vector))
    chosen = levels[str(count)]
    assert level(target, chosen).tolist() == vector["expected"]["bins_true"][str(count)]
    assert level(score, chosen).tolist() == vector["expected"]["bins_pred"][str(count)]


@pytest.mark.parametrize("vector", each("float_precision_traps"))
def test_the_precision_of_a_stored_score_does_not_move_it_over_a_sims_edge(vector):
    single = np.array(vector["values"], dtype=np.float32)
    stored_as = [single, single.astype(np.float64), np.array(vector["values"])]
    bins = [level(values, SIMS.levels["acc5"]).tolist() for values in stored_as]
    assert bins == [vector["acc5_bin_float32_compare"]] * 3


@pytest.mark.parametrize("vector", each("float_precision_traps"))
def test_a_lookup_in_double_precision_would_move_it(vector):
    upcast = np.array(vector["values"], dtype=np.float32).astype(np.float64)
    bins = np.digitize(upcast, SIMS.levels["acc5"].edges, right=True)
    assert bins.tolist() == vector["acc5_bin_after_float64_upcast"]


@pytest.mark.parametrize(
    ("name", "levels"),
    [("half_to_even", MMSA.levels["acc7"]), ("sdk_mosei_away_from_zero", SDK_MOSEI.levels["acc7"])],
)
def test_halves_and_thirds_round_as_published(name, levels):
    expected = ORACLES["rounding"][name]
    found = level(np.array([float(value) for value in expected]), levels)
    assert found.tolist() == list(expected.values())


@pytest.mark.parametrize("vector", each("weighted_f1"))
def test_the_first_array_weighs_the_classes(vector):
    predicted, truth = arrays(vector)
    expected = vector["expected"]
    assert weighted_f1(truth, predicted) == close(expected["weighted_f1_true_first"])
    assert weighted_f1(predicted, truth) == close(expected["weighted_f1_pred_first"])


@pytest.mark.parametrize("vector", each("weighted_f1"))
def test_scikit_learn_agrees_with_the_vectors_on_the_unweighted_kinds(vector):
    predicted, truth = arrays(vector)
    expected = vector["expected"]
    assert accuracy_score(truth, predicted) == close(expected["accuracy"])
    assert f1_score(truth, predicted, average="macro", zero_division=0) == close(expected["macro_f1"])
    assert f1_score(truth, predicted, zero_division=0) == close(expected["binary_f1_positive_class"])
