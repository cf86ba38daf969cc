"""A trained model under conditions, and a model that is trained with something missing."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from trials import dataset, run, spec

from harness.engine.trial import ROBUSTNESS_FILE
from harness.registry import DATASETS
from harness.spec import MODALITIES, ROBUSTNESS_COLUMNS, BadInput, Condition, Missing, VariantRef

DATA = dataset()
LF_DNN = VariantRef(name="lf_dnn")


def conditions(*kinds, level=0.6, modalities=MODALITIES):
    return tuple(Condition(kind=kind, level=level, modalities=modalities) for kind in kinds)


def table(done):
    return pd.read_parquet(done.files[ROBUSTNESS_FILE])


def test_every_condition_has_metrics_and_a_prediction_a_clip(tmp_path):
    asked = conditions("random", "temporal", "audio_noise", "subsets", modalities=("audio",))
    done = run(spec("baseline", model=LF_DNN, conditions=asked), tmp_path, DATA)
    assert done.result.failure is None
    assert [record.condition for record in done.result.robustness] == list(asked)
    found = table(done)
    assert tuple(found.columns) == ROBUSTNESS_COLUMNS
    for record in done.result.robustness:
        rows = found[found["condition"] == record.condition.name]
        assert tuple(rows["id"]) == DATA.test.ids
        error = (rows["score"].to_numpy() - DATA.test.target.double().numpy()).__abs__().mean()
        assert record.metrics["mae"] == pytest.approx(error)


def test_at_level_0_it_is_the_test_to_the_last_bit(tmp_path):
    asked = conditions("random", level=0.0)
    done = run(spec("baseline", model=LF_DNN, conditions=asked), tmp_path, DATA)
    metrics = {f"test/{name}": value for name, value in done.result.robustness[0].metrics.items()}
    assert metrics == {name: v for name, v in done.result.metrics.items() if name.startswith("test/")}


def test_a_student_of_words_says_the_same_bits_whatever_happens_to_pictures_and_sound(tmp_path):
    gone = conditions("random", "temporal", modalities=("vision", "audio"))
    asked = (*gone, *conditions("subsets", modalities=("text",)))
    done = run(spec(conditions=asked), tmp_path, DATA)
    test = done.predictions[done.predictions["split"] == "test"]["score"].tolist()
    for _, rows in table(done).groupby("condition"):
        assert rows["score"].tolist() == test


def test_a_student_of_words_has_something_to_say_of_none(tmp_path):
    asked = conditions("subsets", modalities=("vision",))
    done = run(spec(conditions=asked), tmp_path, DATA)
    scores = table(done)["score"]
    assert scores.nunique() == 1
    assert scores.notna().all()


def test_conditions_change_nothing_of_the_training(tmp_path):
    plain = run(spec("baseline", model=LF_DNN), tmp_path / "plain", DATA)
    asked = run(
        spec("baseline", model=LF_DNN, conditions=conditions("random")), tmp_path / "asked", DATA
    )
    assert plain.result.epochs == asked.result.epochs
    assert plain.result.metrics == asked.result.metrics


def test_a_search_trial_is_put_under_no_condition(tmp_path):
    what = spec("baseline", model=LF_DNN, conditions=conditions("random"), splits=("val",))
    done = run(what, tmp_path, DATA)
    assert done.result.robustness == ()
    assert ROBUSTNESS_FILE not in done.files


@pytest.mark.parametrize("source", ["features", "transcript"])
@pytest.mark.parametrize("kind", ["random", "temporal"])
def test_a_model_trained_with_something_missing_is_another_and_an_interruption_changes_no_bit(
    kind, source, tmp_path
):
    model = VariantRef(name="lf_dnn", text_source=source)
    what = spec("baseline", model=model, missing=Missing(kind=kind, rate=0.5))
    whole = run(what, tmp_path / "whole", DATA)
    assert whole.result.failure is None

    class Stop(KeyboardInterrupt):
        pass

    def stop(epoch, _):
        if epoch == 1:
            raise Stop

    with pytest.raises(Stop):
        run(what, tmp_path / "cut", DATA, on_epoch=stop)
    resumed = run(what, tmp_path / "cut", DATA)
    assert resumed.result.epochs == whole.result.epochs
    complete = run(what.model_copy(update={"missing": None}), tmp_path / "complete", DATA)
    assert complete.result.epochs != whole.result.epochs


def test_what_the_record_says_of_the_model_and_the_features(tmp_path):
    result = run(spec("baseline", model=LF_DNN), tmp_path, DATA).result
    assert result.views == ("audio", "text", "vision")
    assert result.features == "made for the tests"


def test_a_data_set_with_recordings_is_asked_for_the_noise(tmp_path, monkeypatch):
    asked = []

    class Recorder(DATASETS.get("toy").builder):
        def degraded(self, data, condition):
            asked.append(condition)
            return replace(data.test, target=torch.zeros(len(data.test)))

    monkeypatch.setattr(
        DATASETS,
        "_entries",
        {**DATASETS._entries, "toy": replace(DATASETS.get("toy"), builder=Recorder)},
    )
    levels = [Condition(kind="blur", level=level, modalities=("vision",)) for level in (0.0, 2.0)]
    for work in ("one", "two"):
        what = spec("baseline", model=LF_DNN, conditions=tuple(levels))
        assert len(run(what, tmp_path / work, DATA).result.robustness) == 2
    assert asked == [levels[1]]


def test_pictures_that_a_data_set_does_not_have_cannot_be_blurred():
    from studies import ablation

    from harness.spec import STUDY_ADAPTER
    from harness.study.expand import expand

    study = ablation() | {"robustness": [{"protocol": "blur"}]}
    with pytest.raises(BadInput, match="toy"):
        expand(STUDY_ADAPTER.validate_python(study))
