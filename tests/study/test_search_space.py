import pytest
from searches import SMALL_SPACE, planner, result, search
from studies import ablation

from harness.registry import STUDENTS, discover
from harness.spec import SPACE_ADAPTER, BadInput
from harness.study.load import parse_study
from harness.study.search.legality import checked_spaces
from harness.study.search.values import holds, probes

discover()


def fault(space):
    with pytest.raises(BadInput) as caught:
        checked_spaces(search(space=space))
    return caught.value


def test_an_arm_searches_what_its_own_parts_say_of_themselves():
    content = ablation("kind=search")
    spaces = checked_spaces(parse_study(content))
    own = STUDENTS.get("text_encoder").space
    assert {f"student.model.{name}" for name in own} <= set(spaces["both_steps"].spaces)
    assert "student.losses.step2.weight" in spaces["both_steps"].spaces
    assert "student.optimisation.learning_rate" in spaces["both_steps"].spaces
    assert not any(path.startswith("teacher") for path in spaces["both_steps"].spaces)
    assert all(path.startswith("teacher.") for path in spaces["teacher"].spaces)
    assert all(path.startswith("baseline.") for path in spaces["fusion"].spaces)


def test_a_loss_that_an_arm_lacks_is_not_searched_there():
    weight = {"type": "float", "low": 0.1, "high": 10, "log": True}
    spaces = checked_spaces(search(space={"student.losses.step2.weight": weight}))
    assert "student.losses.step2.weight" in spaces["both_steps"].spaces
    assert "student.losses.step2.weight" not in spaces["alone"].spaces


def test_the_teacher_is_searched_where_it_is_asked_for_and_advises():
    spaces = checked_spaces(
        search(space={"teacher.model.width": {"type": "choice", "choices": [16, 32]}})
    )
    assert "teacher.model.width" in spaces["both_steps"].spaces
    assert "teacher.model.width" not in spaces["alone"].spaces


def test_the_study_file_has_the_last_word_on_a_space():
    spaces = checked_spaces(search())["alone"].spaces
    assert set(spaces) == set(SMALL_SPACE)
    assert spaces["student.model.width"].choices == (8, 16, 32)


def test_named_controls_are_searched_like_arms():
    content = ablation("kind=search", "controls=[alone_half]")
    spaces = checked_spaces(parse_study(content))
    assert spaces["alone_half"].spaces == spaces["alone"].spaces
    assert spaces["alone_half"].own["student.model.width"] == 16


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (
            {"data.noise": {"type": "float", "low": 0, "high": 1}},
            "the data are what arms are compared on",
        ),
        ({"student.model.widht": {"type": "choice", "choices": [8]}}, "'student.model.width'"),
        ({"student.losses.step9.weight": None}, "student.losses.step2.weight"),
        ({"student.optimisation.monitor": {"type": "choice", "choices": ["val/mae"]}}, "no arm has"),
        ({"student.model.dropout": {"type": "float", "low": 0.5, "high": 1.5}}, "1.5 is not possible"),
        ({"student.model.width": {"type": "choice", "choices": [16, 17]}}, "17 is not possible"),
        ({"student.model.layers": {"type": "float", "low": 1, "high": 3}}, "1.764 is not possible"),
        (
            {"student.optimisation.batch_size": {"type": "int", "low": 0, "high": 3}},
            "0 is not possible in the arm alone",
        ),
        (
            {
                "student.model.dropout": {
                    "type": "float",
                    "low": 0,
                    "high": 0.5,
                    "when": {"student.model.layer": 2},
                }
            },
            "'student.model.layers'",
        ),
        (
            {
                "student.model.dropout": {
                    "type": "float",
                    "low": 0,
                    "high": 0.5,
                    "when": {"student.model.pooling": "attention"},
                }
            },
            "no arm is ever searched here",
        ),
    ],
)
def test_a_space_that_does_not_fit_is_refused_in_one_line_under_its_path(space, words):
    refused = fault(space)
    assert refused.key == f"search.space.{next(iter(space))}"
    assert words in str(refused)
    assert "\n" not in str(refused)


def test_a_condition_that_its_own_parameter_never_meets_is_refused():
    pooling = {"type": "choice", "choices": ["mean", "attention"]}
    dropout = {"type": "float", "low": 0, "high": 0.5, "when": {"student.model.pooling": "atention"}}
    refused = fault({"student.model.pooling": pooling, "student.model.dropout": dropout})
    assert refused.key == "search.space.student.model.dropout"
    assert "'atention'" in refused.message


def test_conditions_that_go_in_a_circle_are_refused():
    refused = fault(
        {
            "student.model.pooling": {
                "type": "choice",
                "choices": ["mean", "cls"],
                "when": {"student.model.layers": 2},
            },
            "student.model.layers": {
                "type": "int",
                "low": 1,
                "high": 3,
                "when": {"student.model.pooling": "mean"},
            },
        }
    )
    assert "circle: student.model.layers → student.model.pooling → student.model.layers" in str(refused)


def test_a_search_without_anything_to_search_is_refused():
    assert fault({}).key == "search.space"


def test_a_parameter_under_a_condition_is_chosen_only_where_the_condition_is_met(tmp_path):
    pooling = {"type": "choice", "choices": ["mean", "attention", "cls"]}
    dropout = {
        "type": "float",
        "low": 0.2,
        "high": 0.5,
        "when": {"student.model.pooling": ["attention", "cls"]},
    }
    study = search(
        space={"student.model.pooling": pooling, "student.model.dropout": dropout},
        trials=24,
        at_once=24,
        sampler={"name": "random"},
    )
    found = [trial.params for trial in planner(study, tmp_path).plan.searches]
    assert {params["student.model.pooling"] for params in found} == {"mean", "attention", "cls"}
    for params in found[1:]:
        is_met = params["student.model.pooling"] != "mean"
        assert ("student.model.dropout" in params) == is_met


def test_what_is_not_searched_keeps_the_files_value_which_conditions_look_at():
    dropout = {
        "type": "float",
        "low": 0,
        "high": 0.5,
        "when": {"student.model.pooling": ["mean", "cls"], "student.model.name": "text_encoder"},
    }
    spaces = checked_spaces(search(space={"student.model.dropout": dropout}))
    assert list(spaces["alone"].spaces) == ["student.model.dropout"]
    assert not spaces["alone"].conditions["student.model.dropout"]


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes", "nsga2"])
def test_every_proposal_lies_in_the_space(sampler, tmp_path):
    space = {
        "student.model.dropout": {"type": "float", "low": 0.05, "high": 0.48, "step": 0.1},
        "student.model.layers": {"type": "int", "low": 1, "high": 6, "step": 2},
        "student.model.vocabulary": {"type": "int", "low": 300, "high": 900, "log": True},
        "student.model.lowercase_capitals": {"type": "choice", "choices": [True, False]},
    }
    study = search(space=space, trials=16, sampler={"name": sampler})
    spaces = checked_spaces(study)
    running = planner(study, tmp_path)
    for _ in range(2):
        results = {trial: result(spec, trial) for trial, spec in running.plan.trials.items()}
        running.advance(results.get)
    for trial in running.plan.searches:
        for path, value in trial.params.items():
            assert holds(spaces[trial.arm].spaces[path], value)


@pytest.mark.parametrize(
    ("space", "inside", "outside"),
    [
        ({"type": "float", "low": 0.1, "high": 0.5}, [0.1, 0.3, 0.5], [0.05, 0.51, "0.3", True, None]),
        ({"type": "float", "low": 0.1, "high": 0.5, "step": 0.2}, [0.1, 0.3, 0.5], [0.2]),
        ({"type": "float", "low": 0, "high": 0.5, "step": 0.2}, [0, 0.2, 0.4], [0.5]),
        ({"type": "int", "low": 2, "high": 9, "step": 3}, [2, 5, 8], [3, 9, 5.0, True]),
        ({"type": "choice", "choices": [1, "a", None]}, [1, 1.0, "a", None], [True, "b", 2]),
    ],
)
def test_a_space_holds_its_values_and_no_others(space, inside, outside):
    own = SPACE_ADAPTER.validate_python(space)
    assert all(holds(own, value) for value in inside)
    assert not any(holds(own, value) for value in outside)
    assert all(holds(own, value) for value in probes(own))
