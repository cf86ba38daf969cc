from __future__ import annotations

from itertools import combinations

import pytest
from sklearn.metrics import average_precision_score

from reports.chance import chance_ap


@pytest.mark.parametrize(("relevant", "total"), [(1, 1), (1, 2), (2, 5), (3, 7), (4, 4), (1, 9)])
def test_it_is_the_mean_over_all_rankings(relevant, total):
    scores = list(range(total, 0, -1))
    rankings = [
        average_precision_score([int(rank in places) for rank in range(total)], scores)
        for places in combinations(range(total), relevant)
    ]
    assert chance_ap(relevant, total) == pytest.approx(sum(rankings) / len(rankings), abs=1e-12)


def test_among_many_items_it_is_nearly_the_share_of_relevant_ones():
    assert chance_ap(562, 5620) == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize(("relevant", "total"), [(0, 3), (4, 3)])
def test_more_relevant_items_than_items_are_refused_and_so_are_none(relevant, total):
    with pytest.raises(ValueError, match=f"given {relevant}"):
        chance_ap(relevant, total)
