"""From a YAML file to a study, or to one line that says what is wrong with it."""

import jsonschema
import pytest
from studies import ablation, grid, write

from harness.spec import BadInput
from harness.study.load import load_study, parse_study, study_schema


def test_a_study_file_with_overrides_becomes_a_study(tmp_path):
    file = write(ablation(), tmp_path / "toy.yaml")
    study = load_study(file, ["seeds=[3]", "base.student.optimisation.learning_rate=0.5"])
    assert study.seeds == (3,)
    assert study.base.student.optimisation.learning_rate == 0.5


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("bse.role=student", "bse: unknown key; did you mean 'base' or"),
        ("base.student.losess={}", "base.student.losess: unknown key; did you mean 'losses'?"),
        (
            "arms.alone.student.optimisation.patince=3",
            "arms.alone.student.optimisation.patince: unknown key; did you mean 'patience'?",
        ),
        ("base.student.optimisation.patience=0", "base.student.optimisation.patience: Input should be"),
        ("base.student.optimisation.monitor=test/mae", "selection looks at validation only"),
        ("base.student.optimisation.monitor=val/maee", "no metric is called 'maee'; did you mean 'mae'"),
        ("base.teacher.optimisation.monitor=test/corr", "expected a metric such as 'val/corr'"),
        (
            "arms.shuffled.control=shufled",
            "arms.shuffled.control: Input should be 'none', 'shuffled', 'untrained', 'constant', ",
        ),
        ("seeds=[1,1]", "seeds repeat"),
        ("seeds=[]", "seeds: "),
        ("kind=ablations", "Input tag 'ablations'"),
        ("name=Toy Study", "name: String should match"),
        ("launch={name: processes, wrokers: 2}", "launch.wrokers: unknown key; did you mean 'workers'"),
        (
            "launch={name: proceses}",
            "launch: Input tag 'proceses' found using 'name' does not",
        ),
        (
            "launch={name: processes, workers: 0}",
            "launch.workers: Input should be greater than",
        ),
        ("runtime.thread=2", "runtime.thread: unknown key; did you mean 'threads'?"),
    ],
)
def test_a_wrong_key_or_value_is_one_line_with_file_and_key(override, expected, tmp_path):
    file = write(ablation(), tmp_path / "toy.yaml")
    with pytest.raises(BadInput) as caught:
        load_study(file, [override])
    assert str(caught.value).startswith(f"{file}: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("search.trails=3", "search.trails: unknown key; did you mean 'trials'?"),
        ("search.objective=test/mae", "search.objective: a search looks at validation only"),
        ("search.objective=[val/mae,latency]", "search.objective: a search looks at validation only"),
        ("search.objective=latency_ms", "search.objective: an objective has to be of quality"),
        ("search.sampler={name: tpe, startup: 3}", "search.sampler.startup: unknown key; did you mean"),
        ("search.pruner={name: medain}", "search.pruner: Input tag 'medain'"),
        (
            "search.space={a.b: {type: int, low: 3, high: 2}}",
            "search.space.a.b: a range needs low <= high, given low 3, high 2",
        ),
        (
            "search.space={a.b: {type: float, low: 0, high: 2, log: true}}",
            "search.space.a.b: a logarithmic range is above 0",
        ),
        ("search.space={a.b: {type: int, lo: 3, high: 2}}", "search.space.a.b.l"),
        ("search.seed=1", "a choice is run again under fresh seeds"),
        ("search={objective: [val/mae, parameters], sampler: {name: cmaes}}", "cmaes has one objective"),
        ("search={objective: [val/mae, parameters]}", "there is no reference"),
    ],
)
def test_a_wrong_search_is_one_line_with_file_and_key(override, expected, tmp_path):
    file = write(ablation("kind=search"), tmp_path / "toy.yaml")
    with pytest.raises(BadInput) as caught:
        load_study(file, [override])
    assert str(caught.value).startswith(f"{file}: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_name_on_the_command_line_brings_its_own_parameters(tmp_path):
    content = ablation("kind=search", "search.pruner={name: median, startup_trials: 3}")
    file = write(content, tmp_path / "toy.yaml")
    study = load_study(file, ["search.pruner.name=none", "name=other", "base.student.model.name=gru"])
    assert (study.name, study.search.pruner.name) == ("other", "none")
    assert study.base.student.model.model_dump() == {"name": "gru"}
    assert load_study(file, ["search.pruner.startup_trials=4"]).search.pruner.startup_trials == 4


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere\.yaml: no such study file"):
        load_study(tmp_path / "nowhere.yaml")


def test_a_key_written_twice_is_refused_with_its_line(tmp_path):
    file = tmp_path / "twice.yaml"
    file.write_text("kind: ablation\nname: a\nname: b\n")
    with pytest.raises(BadInput, match=r"twice.yaml: .*duplicate key name.*line 3"):
        load_study(file)


@pytest.mark.parametrize("text", ["kind: [", "- a\n- b\n", "just words\n", ""])
def test_what_is_no_study_is_refused(text, tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"broken\.yaml"):
        load_study(file)


def test_an_override_that_is_no_yaml_is_one_line(tmp_path):
    file = write(ablation(), tmp_path / "toy.yaml")
    with pytest.raises(BadInput, match="OVERRIDES: ") as caught:
        load_study(file, ["base.student.losses={task_l1:{}}"])
    assert "\n" not in str(caught.value)


def test_an_override_without_a_value_is_refused(tmp_path):
    file = write(ablation(), tmp_path / "toy.yaml")
    with pytest.raises(BadInput, match="an override reads key=value, given 'seeds'"):
        load_study(file, ["seeds"])


def test_a_study_is_laid_over_the_one_it_extends(tmp_path):
    (tmp_path / "base").mkdir()
    write(ablation(), tmp_path / "base" / "toy.yaml")
    above = {
        "extends": "base/toy.yaml",
        "kind": "ablation",
        "name": "above",
        "base": {"student": {"optimisation": {"learning_rate": 0.5}}},
        "arms": {"more": {"control": "constant"}},
    }
    study = load_study(write(above, tmp_path / "above.yaml"), ["seeds=[9]"])
    below = parse_study(ablation())
    assert (study.name, study.seeds, study.data) == ("above", (9,), below.data)
    assert study.base.student.optimisation.learning_rate == 0.5
    assert study.base.student.model == below.base.student.model
    assert list(study.arms) == [*below.arms, "more"]
    assert list(jsonschema.Draft202012Validator(study_schema()).iter_errors(above)) == []


def test_other_data_replace_those_of_the_study_below(tmp_path):
    write(ablation("data.noise=0.5"), tmp_path / "below.yaml")
    above = {"extends": "below.yaml", "kind": "ablation", "name": "a", "data": {"name": "mmsa"}}
    study = load_study(write(above, tmp_path / "above.yaml"))
    assert study.data.params == {}


@pytest.mark.parametrize(
    ("extends", "message"),
    [("gone.yaml", "no such study file"), ("toy.yaml", "extends itself")],
)
def test_a_study_that_extends_nothing_or_itself_is_refused(extends, message, tmp_path):
    file = write({**ablation(), "extends": extends}, tmp_path / "toy.yaml")
    with pytest.raises(BadInput, match=message) as caught:
        load_study(file)
    assert str(caught.value).startswith(f"{file}: extends: ")


def test_the_schema_accepts_what_the_loader_accepts():
    schema = jsonschema.Draft202012Validator(study_schema())
    for content in (ablation(), grid({"student.model.width": [16, 32]})):
        assert list(schema.iter_errors(content)) == []
        assert parse_study(content).kind == content["kind"]


def test_the_schema_refuses_an_unknown_key():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**ablation(), "patience": 3}, study_schema())
