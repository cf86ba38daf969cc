"""The rule that cuts a validation split, on any groups of any classes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.pairs.validation import held_out
from harness.spec import BadInput

NAMES = ("dog", "bell", "rain", "drum")


@st.composite
def clips(draw):
    """Groups of one to four clips of one class each; at least two groups a class."""
    groups, labels = [], []
    for label in range(draw(st.integers(2, 4))):
        sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=12))
        for number, size in enumerate(sizes):
            groups += [f"video{label}-{number}"] * size
            labels += [label] * size
    return groups, np.array(labels)


SHARES = st.sampled_from([0.05, 0.1, 0.25, 0.5])
SEEDS = st.integers(0, 2**31)


@given(clips(), SHARES, SEEDS)
def test_no_group_is_cut_and_every_class_is_on_both_sides(found, share, seed):
    groups, labels = found
    out = held_out(groups, labels, NAMES, share, seed)
    named = np.array(groups)
    assert not set(named[out]) & set(named[~out])
    assert set(labels[out]) == set(labels[~out]) == set(labels)


@given(clips(), SHARES, SEEDS)
def test_no_class_passes_its_share_but_by_its_smallest_group(found, share, seed):
    groups, labels = found
    out = held_out(groups, labels, NAMES, share, seed)
    sizes = Counter(groups)
    for label in set(labels):
        quota = max(1, round(share * (labels == label).sum()))
        smallest = min(sizes[group] for group, own in zip(groups, labels, strict=True) if own == label)
        assert (out & (labels == label)).sum() <= max(quota, smallest)


@given(st.lists(st.integers(2, 40), min_size=2, max_size=4), SHARES, SEEDS)
def test_single_clips_meet_the_share_of_each_class(counts, share, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    groups = [f"clip{row}" for row in range(len(labels))]
    out = held_out(groups, labels, NAMES, share, seed)
    expected = [min(count - 1, max(1, round(share * count))) for count in counts]
    assert np.bincount(labels[out]).tolist() == expected


@given(clips(), SHARES, SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(found, share, seed, random):
    groups, labels = found
    order = random.sample(range(len(groups)), len(groups))
    before = held_out(groups, labels, NAMES, share, seed)
    after = held_out([groups[row] for row in order], labels[order], NAMES, share, seed)
    assert after.tolist() == before[order].tolist()


def test_another_seed_holds_out_other_clips():
    labels = np.repeat(np.arange(2), 50)
    groups = [f"clip{row}" for row in range(100)]
    found = {tuple(held_out(groups, labels, NAMES, 0.2, seed)) for seed in range(5)}
    assert len(found) == 5


def test_a_group_is_held_out_as_often_as_any_other():
    labels = np.zeros(20, np.int64)
    labels[10:] = 1
    groups = [f"clip{row}" for row in range(20)]
    often = sum(held_out(groups, labels, NAMES, 0.5, seed) for seed in range(400))
    # Binomial, 400 draws at 1/2: five sd are 50.
    assert abs(often - 200).max() < 50


def test_groups_of_two_classes_stay_whole():
    groups = ["a", "a", "b", "b", "c", "d", "e"]
    labels = np.array([0, 1, 0, 1, 0, 1, 1])
    for seed in range(20):
        out = held_out(groups, labels, NAMES, 0.3, seed)
        assert out[0] == out[1]
        assert out[2] == out[3]
        assert set(labels[out]) == set(labels[~out]) == {0, 1}


@pytest.mark.parametrize(
    ("groups", "count"),
    [(["a", "b", "c"], 1), (["a", "b", "c", "c"], 1), (["a", "b", "c", "c", "c"], 1)],
)
def test_a_class_of_one_group_cannot_be_on_both_sides(groups, count):
    labels = np.array([0, 0, *[1] * (len(groups) - 2)])
    with pytest.raises(BadInput) as caught:
        held_out(groups, labels, NAMES, 0.1, 0)
    assert str(caught.value).startswith(f"validation: class 'bell' has {count} groups of clips in train")
