"""Rankings computed twice elsewhere from the definitions: ours must be the same."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from harness.metrics.ranking.judgement import average_precision, judge
from harness.metrics.ranking.order import Classes
from harness.metrics.ranking.scores import compare
from harness.metrics.retrieval import match_ap, retrieval_metrics
from harness.metrics.retrieval_protocols import TNN_C_CCA, RetrievalRules
from harness.spec import BadInput

ORACLE = json.loads((Path(__file__).parent / "retrieval_oracle.json").read_text())
DENOMINATORS = {"hits_in_top_k": "hits", "min_R_k": "min", "all_relevant_R": "relevant"}
AT_K = re.compile(r"(?:map|ap)_at_(\d+)(_euclidean)?_denominator_(.*?)(?:_acmr_style)?$")


def close(expected):
    return pytest.approx(expected, abs=ORACLE["tolerance_abs"])


def vectors(section, *without):
    return [pytest.param(v, id=v["id"]) for v in ORACLE[section] if v["id"] not in without]


def rules_of(name):
    """The rules that a name such as map_at_3_euclidean_denominator_hits_in_top_k stands for."""
    depth, euclidean, denominator = AT_K.match(name).groups()
    return RetrievalRules(
        similarity="euclidean" if euclidean else "cosine",
        depth=int(depth),
        denominator=DENOMINATORS[denominator],
        no_relevant="zero",
    )


def sides(vector):
    query, gallery, query_labels, gallery_labels = (
        np.array(vector[name])
        for name in ("query_embeddings", "gallery_embeddings", "query_labels", "gallery_labels")
    )
    yield "query_to_gallery", (query, gallery, query_labels, gallery_labels)
    if "gallery_as_query" in vector["expected"]:
        yield "gallery_as_query", (gallery, query, gallery_labels, query_labels)


@pytest.mark.parametrize("vector", vectors("retrieval", "ret_zero_vector_gallery"))
def test_every_query_has_the_published_ap(vector):
    for way, arrays in sides(vector):
        expected = vector["expected"][way]
        found = average_precision(*arrays, TNN_C_CCA)
        assert found == close(expected["ap_per_query_full_ranking"])
        assert found.mean() == close(expected["map_full_ranking"])


@pytest.mark.parametrize("vector", vectors("retrieval", "ret_zero_vector_gallery"))
def test_every_depth_and_denominator_has_its_own_number(vector):
    for way, arrays in sides(vector):
        expected = {name: v for name, v in vector["expected"][way].items() if AT_K.match(name)}
        found = {name: average_precision(*arrays, rules_of(name)).mean() for name in expected}
        assert found == close(expected)


@pytest.mark.parametrize("vector", [v for v in vectors("retrieval") if "ties" in v.id])
def test_ties_have_the_published_expectation(vector):
    query, gallery, *labels = next(sides(vector))[1]
    found = judge(compare(query, gallery, "cosine"), Classes(*labels), TNN_C_CCA)
    assert found.expected.mean() == close(vector["expected"]["query_to_gallery"]["map_ties_expected"])


@pytest.mark.parametrize("vector", vectors("average_precision"))
def test_a_relevance_list_has_the_published_ap(vector):
    listed = vector["relevance_in_rank_order"]
    # What the list leaves out stands behind it.
    relevance = listed + [1] * (vector["total_relevant_in_gallery"] - sum(listed))
    angles = np.linspace(0, 1, len(relevance))
    arrays = (
        np.array([[1.0, 0.0]]),
        np.stack([np.cos(angles), np.sin(angles)], 1),
        np.array([1]),
        np.array(relevance),
    )
    expected = {n: v for n, v in vector["expected"].items() if AT_K.match(n)}
    assert {name: average_precision(*arrays, rules_of(name))[0] for name in expected} == close(expected)
    within = RetrievalRules(depth=len(listed), denominator="hits", no_relevant="zero")
    assert average_precision(*arrays, within)[0] == close(vector["expected"]["ap_full"])


@pytest.mark.parametrize("vector", [v for v in vectors("retrieval") if "basic" in v.id])
def test_the_mean_of_both_directions_is_the_published_one(vector):
    expected = vector["expected"]
    found = retrieval_metrics(
        *(np.array(vector[n]) for n in ("query_embeddings", "gallery_embeddings", "query_labels")),
        "full",
    )
    assert found["map_a2v"] == close(expected["query_to_gallery"]["map_full_ranking"])
    assert found["map_v2a"] == close(expected["gallery_as_query"]["map_full_ranking"])
    assert found["map"] == close(expected["average_map_of_both_directions"])


def test_a_zero_vector_that_published_code_sorts_last_is_refused_here():
    vector = next(v for v in ORACLE["retrieval"] if v["id"] == "ret_zero_vector_gallery")
    with pytest.raises(BadInput, match="1 of 3 gallery rows are zero"):
        average_precision(*next(sides(vector))[1], TNN_C_CCA)


@pytest.mark.parametrize("vector", vectors("retrieval_self_match"))
def test_a_query_that_finds_itself_inflates_the_number(vector):
    rows, labels, expected = (np.array(vector[n]) for n in ("embeddings", "labels", "expected"))
    itself = average_precision(rows, rows, labels, labels, TNN_C_CCA)
    others = average_precision(rows, rows, labels, labels, TNN_C_CCA, excludes_itself=True)
    assert itself.mean() == close(expected.item()["map_self_included"])
    assert others.mean() == close(expected.item()["map_self_excluded"])
    # Unit rows: the dot product is the cosine.
    assert match_ap(np.hstack([rows, np.zeros((len(rows), 1))]), labels) == pytest.approx(others)
