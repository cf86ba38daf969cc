"""Which number each published code prints, beside that code's rule written out."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from harness.metrics.ranking.judgement import average_precision
from harness.metrics.retrieval import retrieval_ap, retrieval_metrics
from harness.metrics.retrieval_protocols import RETRIEVAL_PROTOCOLS, RetrievalRules
from harness.spec import TASKS, RetrievalProtocol

NAMES = get_args(RetrievalProtocol)
LIKE_DSCMR = {"dscmr": ("cosine", None), "mrl_50": ("cosine", 50), "acmr_50": ("euclidean", 50)}


def clips(seed, count=120, classes=6, width=8, spread=1.2):
    draws = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = draws.normal(size=(classes, width))
    audio, vision = (centres[labels] + spread * draws.normal(size=(count, width)) for _ in range(2))
    return audio, vision, labels


def precisions(relevance):
    """Precision at each rank where an item is relevant, 0 elsewhere."""
    return relevance * np.cumsum(relevance, 1) / np.arange(1, relevance.shape[1] + 1)


def relevance_in_order(audio, vision, labels, metric):
    return (labels[np.argsort(cdist(audio, vision, metric), 1)] == labels[:, None]).astype(float)


def test_every_protocol_of_the_specification_is_defined_and_the_default_comes_first():
    assert set(RETRIEVAL_PROTOCOLS) == set(NAMES) == set(TASKS["retrieval"].protocols)
    assert TASKS["retrieval"].protocols[0] == "full"
    assert RETRIEVAL_PROTOCOLS["full"] == RetrievalRules()


@pytest.mark.parametrize("protocol", LIKE_DSCMR)
@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_codes_that_divide_by_the_hits_down_to_a_depth(protocol, seed):
    metric, depth = LIKE_DSCMR[protocol]
    audio, vision, labels = clips(seed)
    relevance = relevance_in_order(audio, vision, labels, metric)[:, :depth]
    expected = precisions(relevance).sum(1) / np.maximum(relevance.sum(1), 1)
    assert retrieval_ap(audio, vision, labels, protocol).a2v == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_the_prefix_variant_averages_what_dscmr_would_be_at_every_depth(seed):
    audio, vision, labels = clips(seed)
    relevance = relevance_in_order(audio, vision, labels, "cosine")
    at_each_depth = np.cumsum(precisions(relevance), 1) / np.maximum(np.cumsum(relevance, 1), 1)
    found = retrieval_ap(audio, vision, labels, "prefix").a2v
    assert found == pytest.approx(at_each_depth.mean(1), abs=1e-9)
    by_rules = [
        average_precision(audio, vision, labels, labels, RetrievalRules(depth=depth, denominator="hits"))
        for depth in (1, 7, 120)
    ]
    found = np.array(by_rules).T
    assert found == pytest.approx(at_each_depth[:, [0, 6, 119]], abs=1e-9)


def test_the_prefix_variant_inflates_a_good_ranking_by_some_hundredths():
    # Ten classes and a mAP in the range of published tables of VEGAS.
    arrays = clips(0, count=1000, classes=10, width=64, spread=1.5)
    full, prefix = (retrieval_metrics(*arrays, name)["map"] for name in ("full", "prefix"))
    assert 0.75 < full < 0.9
    assert 0.02 < prefix - full < 0.04


@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_whole_rankings_of_paired_clips_are_one_number_under_three_names(seed):
    arrays = clips(seed)
    full, tnn, dscmr = (retrieval_metrics(*arrays, name) for name in ("full", "tnn_c_cca", "dscmr"))
    assert tnn == full
    assert dscmr == pytest.approx(full, abs=1e-12)


def test_denominators_differ_when_a_depth_hides_relevant_items():
    query, gallery = np.array([[1.0, 0.0]]), np.array([[1.0, 0.1], [1.0, 0.2], [1.0, 0.3], [1.0, 0.4]])
    labels = np.array([1, 0, 1, 1])
    found = {
        name: average_precision(
            query, gallery, np.array([1]), labels, RetrievalRules(depth=2, denominator=name)
        )[0]
        for name in ("hits", "min", "relevant")
    }
    assert found == {"hits": 1.0, "min": 0.5, "relevant": pytest.approx(1 / 3)}


def test_a_depth_beyond_the_gallery_is_the_whole_gallery():
    audio, vision, labels = clips(0, count=20, classes=2)
    deep, whole = (RetrievalRules(depth=d, denominator="min") for d in (500, None))
    assert (
        average_precision(audio, vision, labels, labels, deep)
        == average_precision(audio, vision, labels, labels, whole)
    ).all()


def test_distances_and_cosines_rank_rows_of_different_lengths_differently():
    audio, vision, labels = np.array([[1.0, 0.0]]), np.array([[9.0, 1.0], [1.0, 0.5]]), np.array([0, 1])
    by = {
        similarity: average_precision(
            audio, vision, labels[:1], labels, RetrievalRules(similarity=similarity)
        )[0]
        for similarity in ("cosine", "euclidean")
    }
    assert by == {"cosine": 1.0, "euclidean": 0.5}


def test_a_zero_vector_has_distances_though_no_cosine():
    found = retrieval_metrics(np.zeros((2, 2)), np.eye(2), np.array([0, 1]), "acmr_50")
    assert found["map_tie"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"depth": 0}, "a depth of at least 1, given 0"),
        ({"is_prefix_averaged": True}, "averaged over hits, given 'relevant'"),
    ],
)
def test_rules_that_mean_nothing_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        RetrievalRules(**wrong)
