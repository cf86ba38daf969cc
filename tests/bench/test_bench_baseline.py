"""The baseline and the benches name each other."""

import pytest

pytestmark = pytest.mark.bench


def test_every_stored_ratio_is_of_a_bench(baseline, collected):
    if baseline is not None:
        assert baseline.without_bench(collected) == [], "store the ratios anew: tox -e bench-baseline"
