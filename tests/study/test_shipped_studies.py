"""Every study that ships can be read, expanded and run."""

from pathlib import Path

import pytest
from features import write_features
from made_stamps import write_packages
from pair_samples import splits, write_h5
from review_archive import published, reviews, write_archive
from studies import Diary

from harness.data.icwsm14.prepare import prepare
from harness.registry import BASELINES, DATASETS, discover
from harness.spec import SerialLaunch, VariantRef
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.expand import expand, make_plan
from harness.study.load import load_study
from harness.study.place import Place
from harness.study.runner import run_study
from harness.study.tiny import shrink

discover()
ABLATIONS = Path(__file__).parents[2] / "ablations"
SHIPPED = sorted(ABLATIONS.glob("*.yaml"))

every_study = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


def is_trained(path):
    """Not so of a study about cost alone: there is no gain to be ascribed to anything."""
    return load_study(path).bench.weights == "trained"


def with_baselines(path):
    trials = [cell.spec for cell in expand(load_study(path))]
    return any(spec.role == "baseline" and spec.task.name == "sentiment" for spec in trials)


every_study_with_baselines = pytest.mark.parametrize(
    "path",
    [path for path in SHIPPED if is_trained(path) and with_baselines(path)],
    ids=lambda path: path.stem,
)


@every_study
def test_its_name_is_its_files(path):
    assert load_study(path).name == path.stem


def distils(path):
    return is_trained(path) and any(cell.spec.teacher is not None for cell in expand(load_study(path)))


@pytest.mark.parametrize("path", list(filter(distils, SHIPPED)), ids=lambda path: path.stem)
def test_it_has_a_student_alone_and_a_teacher_whose_advice_means_nothing(path):
    study = load_study(path)
    cells = expand(study)
    plain = {cell.arm for cell in cells if cell.spec.role == "student" and cell.spec.teacher is None}
    several = study.kind == "search" and len(study.search.objective) > 1
    assert plain if several else study.reference in plain
    own = {arm.reference for arm in getattr(study, "arms", {}).values() if arm.reference}
    assert own <= plain
    assert any(cell.spec.control == "shuffled" for cell in cells)


@every_study_with_baselines
def test_beside_models_of_every_modality_stands_one_of_text_alone(path):
    assert any(cell.spec.model.name == "text_only" for cell in expand(load_study(path)))


@every_study
def test_whoever_is_compared_has_the_same_budget(path):
    trials = [cell.spec for cell in expand(load_study(path))]
    teachers = [spec for spec in trials if spec.role == "teacher"]
    teachers += [spec.teacher for spec in trials if spec.teacher is not None]
    for peers in ([spec for spec in trials if spec.role != "teacher"], teachers):
        # A teacher of no epochs is the control that it says it is; what is fitted has none either.
        trained = [s.optimisation for s in peers if s.optimisation.max_epochs]
        budgets = {(one.max_epochs, one.patience) for one in trained}
        assert len(budgets) == (1 if trained else 0)


MARKS = {
    # The same arms as others have that run by default.
    "mosi_baselines_search": pytest.mark.slow,
    "mosei_paper": pytest.mark.slow,
    "ave_paper": pytest.mark.slow,
    "events_width": pytest.mark.slow,
    "events_noise": pytest.mark.slow,
    "stamps_encoders": pytest.mark.encoders,
}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=MARKS.get(path.stem, [])) for path in SHIPPED],
)
def test_it_runs_when_it_is_shrunk(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    overrides = what_it_asks_for(load_study(path), tmp_path / "data")
    store = MemoryStore()
    place = Place(tmp_path, lambda: store, MemoryClaims, exists=False)
    study = shrink(load_study(path, ["seeds=[0]", *overrides]))
    # In this process: what workers add is tested elsewhere, and starting them takes longer than this.
    outcome = run_study(study.model_copy(update={"launch": SerialLaunch()}), place, Diary())
    assert [result.failure for result in outcome.ran if result.failure] == []
    assert len(outcome.ran) == len(outcome.plan.trials)


def what_it_asks_for(study, folder):
    """Stand-ins for the files that a study leaves to its user, as overrides."""
    folder.mkdir()
    if study.data.name == "mmsa":
        return [f"data.path={write_features(folder / 'features.pkl')}"]
    if study.data.name == "av_hdf5":
        return [f"data.path={write_pairs(folder / 'features.h5')}", "data.validation=0.3"]
    if study.data.name == "stamps":
        return [f"data.path={write_packages(folder)}", "data.folds=2", "data.validation=2"]
    if study.data.name == "raw_clips":
        tiny = {**DATASETS.get("rendered_sentiment").tiny, "path": str(folder / "clips")}
        DATASETS.build(VariantRef(name="rendered_sentiment", **tiny)).prepare()
        return [f"data.path={folder / 'clips'}"]
    if study.data.params.get("sentences") == "icwsm14":
        return [f"data.sentences_path={prepared_reviews(folder)}"]
    return []


def write_pairs(file):
    parts = splits()
    names = {"audio": "audio", "vision": "visual", "labels": "lab"}
    content = {
        f"{short}_{split}": part[name] for split, part in parts.items() for name, short in names.items()
    }
    return write_h5(file, content)


def prepared_reviews(folder):
    archive = folder / "archive.tar.gz"
    prepare(archive, folder / "reviews", sha256=write_archive(archive, published(reviews(120))))
    return folder / "reviews"


def test_every_baseline_that_takes_features_is_in_the_study_of_all_of_them():
    inside = {cell.spec.model.name for cell in expand(load_study(ABLATIONS / "mosi_baselines.yaml"))}
    ours = {
        entry.name
        for entry in BASELINES
        if entry.builder.__module__.startswith("baselines.") and entry.config.task == "sentiment"
    }
    outside = ours - inside
    # MAG is a gate within a text encoder: there is nothing that features could be given to.
    assert outside == {"mag"}


def test_the_models_of_one_table_were_tuned_by_as_many_trials():
    study = load_study(ABLATIONS / "mosi_baselines.yaml")
    plan = make_plan(study, expand(study), {cell.spec.data: "f" for cell in expand(study)})
    assert plan.tuning.keys() == study.arms.keys()
    searched = load_study(ABLATIONS / "mosi_baselines_search.yaml").search.trials
    assert {found.trials for found in plan.tuning.values()} == {searched}
