"""Tied items: an order that is the same everywhere, and the expectation over all orders."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.ranking.judgement import average_precision, judge
from harness.metrics.ranking.order import SHIFT, Classes, rankings
from harness.metrics.ranking.scores import Scores, compare
from harness.metrics.ranking.ties import expected_ap
from harness.metrics.retrieval import match_ap, retrieval_metrics
from harness.metrics.retrieval_protocols import RetrievalRules

DENOMINATORS = ("relevant", "min", "hits")
rules = st.builds(
    RetrievalRules,
    depth=st.integers(1, 7),
    denominator=st.sampled_from(DENOMINATORS),
    is_prefix_averaged=st.just(False),
) | st.builds(RetrievalRules, denominator=st.just("hits"), is_prefix_averaged=st.just(True))


def test_scores_are_compared_in_multiples_of_two_to_the_minus_forty_halves_to_even():
    near = np.array([0.5, 1.0, 1.4, 1.5, 2.5, 1e6 + 0.5]) * 2.0**-40
    drawn = np.random.default_rng(0).uniform(-1, 1, 5000)
    scores = np.concatenate([drawn, near, -near, [-1.0, 0.0, -0.0, 1.0, 1 + 2.0**-40]])
    labels = np.zeros(len(scores), dtype=np.int64)
    (block,) = rankings(Scores(np.ones((1, 1)), scores[:, None], None), Classes(labels[:1], labels))
    expected = np.rint(scores * 2.0**40)[block.top(len(scores))[0]]
    assert np.array_equal(-(block.keys[0] >> SHIFT), expected)
    assert np.all(np.diff(expected) <= 0)


def naive_ap(relevance, total, rules):
    """AP of one order, from the definition."""
    depth = len(relevance) if rules.depth is None else min(rules.depth, len(relevance))
    so_far, hits, summed = [], 0, 0.0
    for rank, is_relevant in enumerate(relevance[:depth], start=1):
        hits += is_relevant
        summed += hits / rank if is_relevant else 0
        so_far.append(summed / hits if hits else 0)
    if rules.is_prefix_averaged:
        return np.mean(so_far)
    return summed / max(
        {"relevant": total, "min": min(total, depth), "hits": hits}[rules.denominator], 1
    )


def mean_over_orders(ties, rules):
    """AP averaged over every order of the items of every tie, one by one."""
    total = sum(map(sum, ties))
    orders = [[]]
    for tie in ties:
        orders = [order + list(more) for order in orders for more in permutations(tie)]
    return np.mean([naive_ap(order, total, rules) for order in orders])


def keys_of(ties):
    score = np.repeat(np.arange(len(ties)), [len(tie) for tie in ties])
    return (score << SHIFT) + np.concatenate(ties)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=4), min_size=1, max_size=3), rules)
def test_the_expectation_is_the_mean_over_every_order_of_tied_items(ties, rules):
    depth = rules.ranks(1, sum(map(len, ties)))
    found = expected_ap(keys_of(ties), rules, depth)
    assert found == pytest.approx(mean_over_orders(ties, rules), abs=1e-9)


@pytest.mark.parametrize("is_prefix_averaged", [False, True])
def test_a_tie_of_seven_that_a_depth_cuts_is_the_mean_over_its_5040_orders(is_prefix_averaged):
    ties = [[1, 0], [0, 1, 0, 1, 1, 0, 0], [1]]
    rules = RetrievalRules(depth=5, denominator="hits", is_prefix_averaged=is_prefix_averaged)
    found = expected_ap(keys_of(ties), rules, 5)
    assert found == pytest.approx(mean_over_orders(ties, rules), abs=1e-9)


@pytest.mark.parametrize("protocol", ["full", "dscmr", "mrl_50", "acmr_50", "prefix"])
def test_a_collapsed_model_has_the_mean_of_random_orders(protocol):
    labels = np.arange(60) % 3
    found = retrieval_metrics(np.ones((60, 4)), np.ones((60, 4)), labels, protocol)["map_tie"]
    draws = np.random.default_rng(0)
    depth = 50 if protocol.endswith("50") else None
    rules = RetrievalRules(
        depth=depth,
        denominator="relevant" if protocol == "full" else "hits",
        is_prefix_averaged=protocol == "prefix",
    )
    sampled = [naive_ap(draws.permutation(labels == 0), 20, rules) for _ in range(4000)]
    assert found == pytest.approx(np.mean(sampled), abs=5 * np.std(sampled) / 4000**0.5)


def test_random_embeddings_have_the_expectation_of_random_orders():
    draws = np.random.default_rng(0)
    labels = np.arange(400) % 5
    found = [
        retrieval_metrics(draws.normal(size=(400, 8)), draws.normal(size=(400, 8)), labels, "full")[
            "map"
        ]
        for _ in range(12)
    ]
    collapsed = retrieval_metrics(np.ones((400, 8)), np.ones((400, 8)), labels, "full")["map_tie"]
    # E[AP] of r relevant items among n in random order, whose n-th harmonic number is `harmonic`.
    n, r = 400, 80
    harmonic = (1 / np.arange(1, n + 1)).sum()
    assert collapsed == pytest.approx((harmonic + (r - 1) / (n - 1) * (n - harmonic)) / n, abs=1e-12)
    assert np.mean(found) == pytest.approx(collapsed, abs=4 * np.std(found, ddof=1) / 12**0.5)


def test_tied_items_keep_the_order_of_the_gallery():
    query, gallery = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0], [5.0, 0.0], [1.0, 0.0]])
    found = judge(
        compare(query, gallery, "cosine"),
        Classes(np.array([1]), np.array([0, 0, 1, 1])),
        RetrievalRules(),
    )
    assert found.top.tolist() == [[1, 2, 3, 0]]
    assert found.ap[0] == pytest.approx((1 / 2 + 2 / 3) / 2)
    # The relevant two of three tied items are as likely at 1 and 2, 1 and 3, 2 and 3.
    orders = [(1 + 1) / 2, (1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2]
    assert found.expected[0] == pytest.approx(np.mean(orders))


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
@pytest.mark.parametrize("width", [3, 64, 257])
def test_equal_gallery_rows_are_tied_wherever_they_stand(similarity, width):
    draws = np.random.default_rng(width)
    queries, distinct = draws.normal(size=(50, width)), draws.normal(size=(37, width))
    copies = np.concatenate([distinct, distinct[::-1], distinct])
    labels = np.concatenate([np.zeros(37, int), np.ones(37, int), np.zeros(37, int)])
    asked = np.zeros(50, int)
    found = judge(
        compare(queries, copies, similarity),
        Classes(asked, labels),
        RetrievalRules(similarity=similarity),
    )
    # Every tie has three items, of which the first and the last in the gallery are relevant.
    ranking = np.tile([1, 0, 1], 37)
    assert found.ap == pytest.approx(naive_ap(ranking, 74, RetrievalRules()), abs=1e-12)
    ties = expected_ap(keys_of([[1, 0, 1]] * 37), RetrievalRules(), 111)
    assert found.expected == pytest.approx(ties, abs=1e-12)


def test_nothing_tied_means_that_both_numbers_are_one():
    draws = np.random.default_rng(0)
    arrays = draws.normal(size=(80, 6)), draws.normal(size=(80, 6)), draws.integers(0, 4, 80)
    found = retrieval_metrics(*arrays, "full")
    assert [found[f"map_tie{way}"] for way in ("", "_a2v", "_v2a")] == [
        found[f"map{way}"] for way in ("", "_a2v", "_v2a")
    ]


def test_what_rounding_can_cause_is_a_tie_and_a_larger_difference_is_none():
    query, labels = np.array([[1.0, 0.0]]), np.array([0, 1])

    def ap(angle):
        gallery = np.array([[np.cos(1 + angle), np.sin(1 + angle)], [np.cos(1.0), np.sin(1.0)]])
        return average_precision(query, gallery, np.array([1]), labels, RetrievalRules())[0]

    assert ap(1e-15) == 0.5
    assert ap(1e-11) == 1.0


def test_equal_match_logits_are_tied_however_large():
    factors = np.tile([3e5, -2e5, 7.0], (5, 1))
    found = match_ap(factors, np.array([0, 1, 0, 1, 1]))
    # Others of the first clip: classes 1 0 1 1; of the second: 0 0 1 1.
    assert found[:2] == pytest.approx([1 / 2, (1 / 3 + 2 / 4) / 2])
