"""How groups are dealt into folds."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.data.stamp_packages.folds import deal

CLASSES = ("bird", "drum", "saw")


def clips(sizes):
    """The group and class of each clip: sizes[k] are the clips of each group of class k."""
    rows = [
        (f"{kind}{number}", kind)
        for kind, groups in zip(CLASSES, sizes, strict=True)
        for number, size in enumerate(groups)
        for _ in range(size)
    ]
    return [group for group, _ in rows], [kind for _, kind in rows]


SIZES = st.tuples(*[st.lists(st.integers(1, 4), min_size=1, max_size=20)] * 3)


@given(SIZES, st.integers(2, 6))
def test_parts_differ_by_no_more_clips_of_a_class_than_its_largest_group_has(sizes, parts):
    groups, kinds = clips(sizes)
    found = deal(groups, kinds, parts)
    assert found.keys() == set(groups)
    for kind, of_kind in zip(CLASSES, sizes, strict=True):
        count = Counter(found[group] for group, k in zip(groups, kinds, strict=True) if k == kind)
        shares = [count[part] for part in range(parts)]
        assert max(shares) - min(shares) <= max(of_kind)


@given(SIZES, st.randoms())
def test_the_order_of_clips_does_not_matter(sizes, random):
    groups, kinds = clips(sizes)
    rows = list(zip(groups, kinds, strict=True))
    random.shuffle(rows)
    assert deal(*zip(*rows, strict=True), 5) == deal(groups, kinds, 5)


@given(st.integers(5, 40))
def test_groups_of_one_clip_are_dealt_evenly_over_all_classes_together(count):
    groups, kinds = clips([[1] * count] * 3)
    total = Counter(deal(groups, kinds, 5).values())
    assert max(total.values()) - min(total.values()) <= 1


def test_a_group_of_two_classes_goes_with_most_of_its_clips():
    groups = ["both"] * 3 + [f"saw{i}" for i in range(4)]
    found = deal(groups, ["drum", "saw", "saw", *["saw"] * 4], 5)
    assert sorted(found.values()) == [0, 1, 2, 3, 4]
