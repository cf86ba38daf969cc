"""What holds of retrieval metrics whatever the embeddings, and what scikit-learn says of them."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score

from harness.metrics.ranking.judgement import average_precision
from harness.metrics.retrieval import match_ap, retrieval_ap, retrieval_metrics, retrieve
from harness.metrics.retrieval_protocols import RetrievalRules
from harness.spec import METRICS, TASKS, BadInput

seeds = st.integers(0, 2**32 - 1)
FULL = RetrievalRules()


def clips(seed, count=40, classes=4, width=5, spread=1.0):
    draws = np.random.default_rng(seed)
    labels = draws.permutation(np.arange(count) % classes)
    centres = draws.normal(size=(classes, width))
    audio, vision = (centres[labels] + spread * draws.normal(size=(count, width)) for _ in range(2))
    return audio, vision, labels


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_metrics_are_those_of_the_task():
    found = retrieval_metrics(*clips(0), "full")
    others = {"match_map", "accuracy"}
    assert set(found) == set(TASKS["retrieval"].metrics) - others
    assert set(found) <= set(METRICS)


def test_two_clips_of_two_classes_by_hand():
    audio, vision = np.eye(2), np.array([[1.0, 1.0], [3.0, 4.0]])
    found = retrieval_metrics(audio, vision, np.array([0, 1]), "full")
    # Sounds: (1, 0) finds its picture first (0.71 > 0.6), (0, 1) too (0.8 > 0.71).
    # Pictures: (1, 1) ties, and the first sound is its own; (3, 4) finds the second sound first.
    assert found == {
        "map_a2v": 1.0,
        "map_v2a": 1.0,
        "map": 1.0,
        "map_tie_a2v": 1.0,
        "map_tie_v2a": pytest.approx((0.75 + 1) / 2),
        "map_tie": pytest.approx((1 + 0.875) / 2),
        "recall_at_1": 1.0,
        "recall_at_5": 1.0,
        "recall_at_10": 1.0,
        "pair_recall_at_10": 1.0,
    }


def test_recall_counts_queries_that_meet_their_class_in_time_by_hand():
    # Twelve pictures at growing angles; the sound of clip i points at angle 0, whatever its class.
    angles = np.linspace(0, 1, 12)
    vision = np.stack([np.cos(angles), np.sin(angles)], 1)
    audio = np.tile([[1.0, 0.0]], (12, 1))
    labels = np.array([0] + [1] * 5 + [2] * 5 + [3])
    way = retrieve(audio, vision, labels, "full").a2v
    assert [(labels[way.top[:, :k]] == labels[:, None]).any(1).mean() for k in (1, 5, 10)] == [
        1 / 12,
        6 / 12,
        11 / 12,
    ]
    assert (way.top == np.arange(12)[:, None]).any(1).mean() == 10 / 12
    assert way.ap[[0, 11]] == pytest.approx([1, 1 / 12])
    assert way.ap[1] == pytest.approx(np.mean([i / (i + 1) for i in range(1, 6)]))


@given(seeds)
@settings(max_examples=5, deadline=None)
def test_scikit_learn_agrees_on_negative_scores_without_ties(seed):
    audio, vision, labels = clips(seed, spread=3)
    similarity, same = unit(audio) @ unit(vision).T, labels[:, None] == labels
    assert (similarity < 0).any()
    found = retrieval_metrics(audio, vision, labels, "full")
    ranked = label_ranking_average_precision_score
    assert found["map_a2v"] == pytest.approx(ranked(same, similarity), abs=1e-9)
    assert found["map_v2a"] == pytest.approx(ranked(same, similarity.T), abs=1e-9)
    each = [average_precision_score(row, score) for row, score in zip(same, similarity, strict=True)]
    assert retrieval_ap(audio, vision, labels, "full").a2v == pytest.approx(each, abs=1e-9)


def test_scikit_learn_gives_all_tied_items_the_last_rank_and_lies_below_the_expectation():
    labels = np.arange(6) % 2
    found = retrieval_metrics(np.ones((6, 2)), np.ones((6, 2)), labels, "full")
    grouped = label_ranking_average_precision_score(labels[:, None] == labels, np.ones((6, 6)))
    assert grouped == pytest.approx(1 / 2)
    assert grouped < found["map_tie"] < 1


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_a_rotation_and_positive_scales_of_rows_change_nothing(seed):
    audio, vision, labels = clips(seed)
    draws = np.random.default_rng(seed)
    turn = np.linalg.qr(draws.normal(size=(5, 5)))[0]
    scales = 10 ** draws.uniform(-150, 150, (2, 40, 1))
    turned = retrieval_metrics(audio @ turn * scales[0], vision @ turn * scales[1], labels, "full")
    assert turned == pytest.approx(retrieval_metrics(audio, vision, labels, "full"), abs=1e-12)


@given(seeds, st.sampled_from(TASKS["retrieval"].protocols))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_clips_and_the_numbers_of_the_classes_do_not_matter(seed, protocol):
    audio, vision, labels = clips(seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    moved = retrieval_ap(audio[order], vision[order], 100 - labels[order], protocol)
    stayed = retrieval_ap(audio, vision, labels, protocol)
    assert moved.a2v == pytest.approx(stayed.a2v[order], abs=1e-12)
    assert moved.v2a == pytest.approx(stayed.v2a[order], abs=1e-12)


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_what_is_exchanged_is_the_direction(seed):
    audio, vision, labels = clips(seed)
    there, back = (
        retrieval_ap(audio, vision, labels, "full"),
        retrieval_ap(vision, audio, labels, "full"),
    )
    assert (there.a2v == back.v2a).all()
    assert (there.v2a == back.a2v).all()


def test_the_means_are_over_the_average_precisions_of_the_clips():
    arrays = clips(3)
    found, each = retrieval_metrics(*arrays, "full"), retrieval_ap(*arrays, "full")
    assert (found["map_a2v"], found["map_v2a"]) == (each.a2v.mean(), each.v2a.mean())
    assert found["map"] == (found["map_a2v"] + found["map_v2a"]) / 2


def test_single_precision_embeddings_are_compared_in_double():
    audio, vision, labels = clips(4)
    single = [rows.astype(np.float32) for rows in (audio, vision)]
    double = [rows.astype(np.float64) for rows in single]
    assert retrieval_metrics(*single, labels, "full") == retrieval_metrics(*double, labels, "full")


def test_one_clip_finds_itself():
    found = retrieval_metrics(np.ones((1, 3)), -np.ones((1, 3)), np.array([7]), "full")
    assert set(found.values()) == {1.0}


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_match_logits_rank_the_other_clips(seed):
    draws = np.random.default_rng(seed)
    factors, labels = draws.normal(size=(30, 5)), np.arange(30) % 3
    logits = factors[:, :4] @ factors[:, :4].T + (factors[:, 4:] + factors[:, 4]) / 2
    same = labels[:, None] == labels
    each = [
        average_precision_score(np.delete(same[i], i), np.delete(logits[i], i))
        for i in range(len(labels))
    ]
    assert match_ap(factors, labels) == pytest.approx(each, abs=1e-9)


def test_a_clip_alone_in_its_class_is_no_query_for_matches():
    found = match_ap(np.random.default_rng(0).normal(size=(5, 3)), np.array([0, 0, 1, 1, 2]))
    assert np.isnan(found).tolist() == [False] * 4 + [True]
    assert np.isnan(match_ap(np.ones((1, 3)), np.array([0]))).all()


def test_factors_of_nothing_leave_every_pair_tied():
    found = match_ap(np.zeros((4, 3)), np.array([0, 1, 0, 1]))
    assert found == pytest.approx([1 / 2, 1 / 3, 1, 1 / 2])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a, v, y: (a[:5], v, y), "5 clips have a sound and 40 pictures"),
        (lambda a, v, y: (a, v, y[:39]), r"40 rows have labels of shape \(39,\): expected \(40,\)"),
        (lambda a, v, y: (a, v, y[:, None]), r"labels of shape \(40, 1\)"),
        (lambda a, v, y: (a, v, y + 0.5), "expected whole numbers as labels, given float64"),
        (lambda a, v, y: (a, v[:, :3], y), "queries are 5 wide and the gallery 3"),
        (lambda a, v, y: (a[:, 0], v, y), r"expected \(N, D\) query rows .* given \(40,\)"),
        (lambda a, v, y: (a[:0], v[:0], y[:0]), r"with N and D above 0, given \(0, 5\)"),
        (lambda a, v, y: (np.where(y[:, None], a, 0), v, y), "10 of 40 query rows are zero"),
        (lambda a, v, y: (a, np.where(y[:, None], v, 0), y), "10 of 40 gallery rows are zero"),
        (lambda a, v, y: (np.where(y[:, None], a, np.nan), v, y), "10 of 40 query rows are not finite"),
        (lambda a, v, y: (a, np.where(y[:, None], v, -np.inf), y), "10 of 40 gallery rows are not fin"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(spoil, message):
    with pytest.raises(BadInput, match=message) as refusal:
        retrieval_metrics(*spoil(*clips(0)), "full")
    assert "\n" not in str(refusal.value)


def test_a_class_that_the_gallery_does_not_have_is_named():
    audio, vision, labels = clips(0)
    has_it = labels != 2
    message = (
        "class 2 is absent from the gallery of 30 items: 10 of 40 queries have no average precision"
    )
    with pytest.raises(BadInput, match=message):
        average_precision(audio, vision[has_it], labels, labels[has_it], FULL)
    counted = RetrievalRules(no_relevant="zero")
    found = average_precision(audio, vision[has_it], labels, labels[has_it], counted)
    assert (found == 0).tolist() == (labels == 2).tolist()


def test_importing_the_metrics_imports_no_heavy_library():
    code = "import sys, harness.metrics.retrieval; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "scipy"} & set(done.stdout.split())
