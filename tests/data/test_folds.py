import pytest

from harness.data.parts.folds import Folded
from harness.registry import DATASETS, discover
from harness.spec import STUDY_ADAPTER, BadInput, VariantRef
from harness.study.expand import expand
from harness.study.resolve import resolve_trial

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


def study(kind="ablation", **data):
    content = {
        "kind": kind,
        "name": "folds",
        "data": {"name": "stamps", **data},
        "seeds": [3, 4],
        "base": {"role": "baseline", "baseline": {"model": {"name": "random_embedding"}}},
        "arms": {"chance": {}},
    }
    return STUDY_ADAPTER.validate_python(content)


def test_the_seeds_of_a_study_are_its_folds():
    assert [cell.spec.data.params["fold"] for cell in expand(study())] == [3, 4]
    assert [cell.spec.data.params["fold"] for cell in expand(study(fold=1))] == [1, 1]


def test_a_search_does_not_choose_on_clips_that_other_folds_test():
    searched = study(kind="search")
    with pytest.raises(BadInput, match="name the fold"):
        resolve_trial(searched, searched.base, 3)
