"""Searching among vectors: the exact search, galleries, recall, and the clock."""

import time

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.efficiency import search
from harness.efficiency.faiss_index import FaissIndex, use_threads
from harness.efficiency.search import ExactIndex, built, grown, in_turns, pass_ms, recall, unit
from harness.spec import BadInput, SearchWorkload

K = 10
FAISS = ("faiss_flat", "faiss_ivf", "faiss_hnsw")


def directions(count, width=16, seed=0):
    return unit(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)))


GALLERY, QUERIES = directions(1000), directions(100, seed=1)
EXACT = torch.from_numpy(
    np.argsort(-(QUERIES.numpy() @ GALLERY.numpy().T), axis=1, kind="stable")[:, :K].copy()
)
"""The nearest by sorting all scores."""


def test_the_exact_search_finds_what_sorting_all_scores_does():
    assert ExactIndex(GALLERY).search(QUERIES, K).equal(EXACT)


@pytest.mark.parametrize(("gallery", "queries"), [(7, 3), (999, 99), (1000, 100), (5000, 500)])
def test_the_size_of_blocks_changes_nothing(monkeypatch, gallery, queries):
    monkeypatch.setattr(search, "GALLERY_BLOCK", gallery)
    monkeypatch.setattr(search, "QUERY_BLOCK", queries)
    assert ExactIndex(GALLERY).search(QUERIES, K).equal(EXACT)


def test_as_many_can_be_asked_for_as_there_are():
    found = ExactIndex(GALLERY[:5]).search(QUERIES, 5)
    assert found.sort(dim=1).values.equal(torch.arange(5).expand(100, 5))


def test_the_flat_index_of_faiss_is_the_exact_search():
    assert FaissIndex("faiss_flat", GALLERY).search(QUERIES, K).equal(EXACT)


@pytest.mark.parametrize("name", FAISS)
def test_a_vector_is_nearest_to_itself(name):
    found = FaissIndex(name, GALLERY).search(GALLERY[:50], 1)
    assert recall(found, torch.arange(50).unsqueeze(1)) >= 0.98


@pytest.mark.parametrize("name", FAISS)
def test_an_index_holds_its_vectors_and_finds_most_of_what_is_nearest(name):
    index = FaissIndex(name, GALLERY)
    assert index.size_bytes() >= ExactIndex(GALLERY).size_bytes() == 1000 * 16 * 4
    assert 0.5 < recall(index.search(QUERIES, K), EXACT) <= 1


def test_an_index_whose_lists_are_all_read_is_exact():
    few = GALLERY[:200]  # √200 lists are fewer than those read
    assert FaissIndex("faiss_ivf", few).search(QUERIES, K).equal(ExactIndex(few).search(QUERIES, K))


def test_faiss_runs_on_the_threads_it_is_given():
    assert use_threads(1) == 1


def test_recall_is_the_share_of_the_nearest_that_were_found():
    exact = torch.tensor([[0, 1, 2], [3, 4, 5]])
    assert recall(exact.flip(1), exact) == 1
    assert recall(torch.tensor([[0, 1, 9], [9, 8, -1]]), exact) == pytest.approx(2 / 6)
    assert recall(exact + 10, exact) == 0


def draw():
    return torch.Generator().manual_seed(0)


def test_a_small_gallery_is_drawn_without_repetition():
    vectors = torch.randn(20, 3)
    found = grown(vectors, 12, 0.1, draw())
    assert len(found.unique(dim=0)) == 12
    assert all((row == vectors).all(1).any() for row in found)


def test_a_large_gallery_has_every_vector_and_copies_moved_by_a_share_of_the_mean_length():
    vectors = 7 * directions(50, 32)
    found = grown(vectors, 4050, 0.1, draw())
    assert found.shape == (4050, 32)
    assert found[:50].equal(vectors)
    distance = torch.cdist(found[50:], vectors).min(1).values
    assert float(distance.square().mean().sqrt()) == pytest.approx(0.1 * 7, rel=0.05)


def test_without_jitter_a_gallery_repeats_itself():
    assert len(grown(GALLERY[:10], 500, 0.0, draw()).unique(dim=0)) == 10


def test_the_same_seed_grows_the_same_gallery():
    assert grown(GALLERY, 3000, 0.1, draw()).equal(grown(GALLERY, 3000, 0.1, draw()))


@pytest.mark.parametrize("value", [0.0, torch.nan, torch.inf])
def test_a_vector_without_a_direction_is_bad_input(value):
    vectors = torch.ones(4, 2)
    vectors[1] = value
    with pytest.raises(BadInput, match="1 of 4 vectors are zero or not finite"):
        unit(vectors)


def test_a_pass_is_told_in_milliseconds_a_query():
    def slow(batch):
        time.sleep(0.002 * len(batch))

    assert 2 <= pass_ms(slow, [range(3), range(2)], len, seconds=10) < 20


def test_a_pass_ends_with_the_batch_in_which_its_time_is_over():
    seen = []

    def slow(batch):
        seen.append(batch)
        time.sleep(0.01)

    pass_ms(slow, [(n,) for n in range(100)], len, seconds=0.015)
    assert 1 <= len(seen) <= 2


def test_samples_are_taken_in_turns_after_a_round_that_warms_up():
    order = []

    def of(name):
        def measure():
            order.append(name)
            return float(len(order))

        return measure

    found = in_turns({"a": of("a"), "b": of("b")}, 2)
    assert order == ["a", "b"] * 3
    assert found == {"a": (3.0, 5.0), "b": (4.0, 6.0)}


def test_what_builds_slowly_is_told_so():
    def slow():
        time.sleep(0.01)
        return ExactIndex(GALLERY)

    index, seconds = built(slow)
    assert seconds >= 0.01
    assert index.search(QUERIES, K).equal(EXACT)


def test_a_workload_that_measures_nothing_is_refused():
    for nothing in ({"galleries": ()}, {"queries": 0}, {"repeats": 0}, {"k": 0}, {"seconds": 0}):
        with pytest.raises(ValidationError):
            SearchWorkload(**nothing)
