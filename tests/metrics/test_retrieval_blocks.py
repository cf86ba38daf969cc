"""Blocks are about memory: they change no bit of a result."""

import numpy as np
import pytest

from harness.metrics.ranking import order
from harness.metrics.ranking.judgement import judge
from harness.metrics.ranking.order import Classes
from harness.metrics.ranking.scores import compare, compare_matches
from harness.metrics.retrieval_protocols import RETRIEVAL_PROTOCOLS, RetrievalRules
from harness.spec import BadInput

QUERIES, ITEMS, WIDTH = 90, 130, 33


def sides(seed=0):
    draws = np.random.default_rng(seed)
    query, gallery = draws.normal(size=(QUERIES, WIDTH)), draws.normal(size=(ITEMS, WIDTH))
    gallery[100:] = gallery[:30]  # ties
    return query, gallery, draws.integers(0, 6, QUERIES), draws.integers(0, 6, ITEMS)


def same(left, right):
    return all((getattr(left, n) == getattr(right, n)).all() for n in ("ap", "expected", "top"))


@pytest.mark.parametrize("rules", RETRIEVAL_PROTOCOLS.values(), ids=RETRIEVAL_PROTOCOLS)
@pytest.mark.parametrize("rows", [1, 7, 89, 500])
def test_blocks_of_any_size_give_the_same_bits(rows, rules):
    query, gallery, *labels = sides()
    scores = compare(query, gallery, rules.similarity)
    whole = judge(scores, Classes(*labels), rules, rows=QUERIES)
    assert same(judge(scores, Classes(*labels), rules, rows=rows), whole)


@pytest.mark.parametrize("rows", [1, 7, 89])
def test_a_query_that_leaves_itself_out_may_stand_in_any_block(rows):
    factors, _, labels, _ = sides()
    scores, classes = compare_matches(factors), Classes(labels, labels, excludes_itself=True)
    rules = RetrievalRules()
    assert same(judge(scores, classes, rules, rows=rows), judge(scores, classes, rules, rows=QUERIES))


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
def test_a_query_scores_the_same_alone_as_among_others(similarity):
    query, gallery, *_ = sides()
    together, alone = np.empty((QUERIES, ITEMS)), np.empty((QUERIES, ITEMS))
    assert compare(query, gallery, similarity).write(0, together) == QUERIES
    for row in (0, 1, 50, 89):
        # One query, in a block of the same room.
        assert compare(query[[row]], gallery, similarity).write(0, alone) == 1
        assert (alone[0] == together[row]).all()


def test_whatever_the_block_the_gallery_is_ranked_by_a_plain_sort():
    query, gallery, *labels = sides()
    cosines = [[q @ g / np.linalg.norm(q) / np.linalg.norm(g) for g in gallery] for q in query]
    plain = np.argsort(-np.round(cosines, 12), axis=1, kind="stable")[:, :10]
    found = judge(compare(query, gallery, "cosine"), Classes(*labels), RetrievalRules())
    assert (found.top == plain).all()


def test_a_gallery_beyond_the_places_of_a_key_is_refused(monkeypatch):
    monkeypatch.setattr(order, "PLACE", 100)
    query, gallery, *labels = sides()
    with pytest.raises(BadInput, match="the gallery has 130 items: expected at most 100"):
        judge(compare(query, gallery, "cosine"), Classes(*labels), RetrievalRules())


def test_a_key_has_room_for_the_best_and_the_worst_score_at_the_last_place():
    scores = np.array([[1.0 + 2e-16, -1.0 - 2e-16, 0.0]])
    keys = np.empty((1, 3), dtype=np.int64)
    order._pack(scores, keys)
    keys += (order.PLACE << 1) + 1
    assert np.argsort(keys[0]).tolist() == [0, 2, 1]
    assert keys.max() < order.LEFT_OUT < 2**63
    assert ((keys >> 1) & order.PLACE == order.PLACE).all()
    assert (keys >> order.SHIFT).tolist() == [[-(2**40), 2**40, 0]]
