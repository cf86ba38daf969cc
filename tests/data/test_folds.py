import pytest

from harness.data.parts.folds import Folded
from harness.registry import DATASETS, discover
from harness.spec import VariantRef

discover()


def test_a_fold_that_nobody_names_is_that_of_the_seed():
    assert Folded().for_seed(3).tested == 3
    assert Folded().tested == 0


def test_a_fold_that_is_named_stays_whatever_the_seed():
    assert [Folded(fold=2).for_seed(seed).tested for seed in (0, 1)] == [2, 2]


@pytest.mark.parametrize("seed", [0, 4])
def test_a_trial_says_which_fold_it_tests(seed):
    config = DATASETS.configure(VariantRef(name="stamps")).for_seed(seed)
    assert config.model_dump()["fold"] == seed
