"""Every study that ships can be read, expanded and run."""

from pathlib import Path

import pytest
from features import write_features
from studies import Diary

from harness.registry import discover
from harness.store import MemoryStore
from harness.study.expand import expand
from harness.study.load import load_study
from harness.study.runner import Place, run_study
from harness.study.tiny import shrink

discover()
SHIPPED = sorted(Path(__file__).parents[2].joinpath("ablations").glob("*.yaml"))

every_study = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


@every_study
def test_its_name_is_its_files(path):
    assert load_study(path).name == path.stem


@every_study
def test_it_has_a_student_alone_a_text_only_control_and_a_shuffled_teacher(path):
    cells = expand(load_study(path))
    plain = {cell.arm for cell in cells if cell.spec.role == "student" and cell.spec.teacher is None}
    assert load_study(path).reference in plain
    assert any(cell.spec.control == "shuffled" for cell in cells)
    assert any(cell.spec.model.name == "text_only" for cell in cells)


@every_study
def test_every_arm_has_the_same_budget(path):
    trials = [cell.spec for cell in expand(load_study(path))]
    trials += [spec.teacher for spec in trials if spec.teacher is not None]
    assert len({(s.optimisation.max_epochs, s.optimisation.patience) for s in trials}) == 1


@every_study
def test_it_runs_when_it_is_shrunk(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = load_study(path)
    if study.data.name == "mmsa":
        study = load_study(path, [f"data.path={write_features(tmp_path / 'features.pkl')}"])
    store = MemoryStore()
    place = Place(store=lambda: store, exists=False, work=tmp_path / "work", cache=tmp_path / "cache")
    outcome = run_study(shrink(study), place, Diary())
    assert outcome.failed == 0
    assert len(outcome.ran) == len(outcome.plan.trials)
