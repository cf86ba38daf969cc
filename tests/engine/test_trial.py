"""One trial from spec to record."""

from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer
from trials import dataset, run, spec

from harness.engine.advice import ADVICE_FILE
from harness.engine.assembly import build_model, visible
from harness.engine.trial import TOKENIZER_FILE
from harness.registry import STUDENTS
from harness.spec import PREDICTION_COLUMNS, LossTerm, VariantRef
from harness.types import Padded


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return run(spec("teacher"), tmp_path_factory.mktemp("teacher"))


def distilled(**changes):
    losses = {"task_l1": LossTerm(weight=0.5), "step2": LossTerm()}
    return spec(losses=losses, teacher=spec("teacher"), **changes)


def test_a_record_holds_every_number_of_valid_and_test(teacher):
    result = teacher.result
    assert result.state == "complete"
    assert {name.partition("/")[0] for name in result.metrics} == {"val", "test"}
    assert result.efficiency.parameters > 0
    assert result.efficiency.latency.intra_threads == result.environment.threads == 1
    assert set(result.seconds) == {"build", "train", "evaluate", "measure"}
    assert "teacher tower: small CLIP, random weights" in result.notes


def test_predictions_are_kept_clip_by_clip(teacher):
    data = dataset()
    table = teacher.predictions
    assert tuple(table.columns) == (*PREDICTION_COLUMNS, "score")
    assert tuple(table[table["split"] == "test"]["id"]) == data.test.ids
    error = (table["score"] - table["target"]).abs()[table["split"] == "test"].mean()
    assert error == pytest.approx(teacher.result.metrics["test/mae"], abs=1e-12)


def test_a_student_learns_from_stored_advice(teacher, tmp_path):
    plain = run(spec(), tmp_path / "plain")
    advised = run(distilled(), tmp_path / "advised", None, teacher.files[ADVICE_FILE])
    assert advised.result.state == "complete"
    assert "train/step2" in advised.result.epochs[0].metrics
    assert not plain.predictions["score"].equals(advised.predictions["score"])
    assert advised.result.efficiency.parameters == plain.result.efficiency.parameters


def test_a_student_leaves_the_tokenizer_that_its_words_were_read_with(tmp_path):
    data = dataset()
    files = run(spec(), tmp_path, data).files
    tokenizer = Tokenizer.from_file(str(files[TOKENIZER_FILE]))
    seen = visible(spec(), build_model(spec(), data), data.test)
    read = tokenizer.encode_batch(list(data.test.transcripts))
    assert torch.equal(seen.tokens.values, torch.tensor([one.ids for one in read]))


def test_shuffled_advice_is_other_advice(teacher, tmp_path):
    real, shuffled = (
        run(distilled(control=control), tmp_path / control, None, teacher.files[ADVICE_FILE])
        for control in ("none", "shuffled")
    )
    assert not real.predictions["score"].equals(shuffled.predictions["score"])


def test_advice_does_not_change_the_teacher_file(teacher, tmp_path):
    before = {name: path.read_bytes() for name, path in teacher.files.items()}
    run(distilled(), tmp_path, None, teacher.files[ADVICE_FILE])
    assert before == {name: path.read_bytes() for name, path in teacher.files.items()}


def test_a_student_whose_teacher_failed_fails_and_says_why(tmp_path):
    result = run(distilled(), tmp_path, None, None).result
    assert result.state == "failed"
    assert "the teacher left no outputs" in result.failure.message


def test_whatever_a_model_raises_becomes_a_failed_record(tmp_path):
    missing = spec(model=VariantRef(name="text_encoder", pretrained="no/such/model"))
    result = run(missing, tmp_path).result
    assert result.state == "failed"
    assert "no/such/model" in result.failure.message
    assert result.metrics == {}


def test_a_precision_that_the_device_lacks_is_a_failed_record(tmp_path):
    result = run(spec(precision="16-mixed"), tmp_path).result
    assert result.state == "failed"
    assert "16-mixed" in result.failure.message


def test_a_model_is_handed_only_the_views_it_declares():
    data = dataset()
    student = build_model(spec(), data)
    seen = visible(spec(), student, data.train)
    assert seen.frames is seen.vision is seen.audio is seen.text is None
    assert seen.tokens is not None


def test_what_a_student_does_not_see_changes_nothing(tmp_path):
    data = dataset()

    def blinded(clips):
        nan = {
            name: Padded(
                torch.full_like(getattr(clips, name).values, torch.nan), getattr(clips, name).mask
            )
            for name in ("vision", "audio")
        }
        return replace(clips, **nan, frames=None)

    blind = replace(data, train=blinded(data.train), valid=blinded(data.valid), test=blinded(data.test))
    plain, other = run(spec(), tmp_path / "1", data), run(spec(), tmp_path / "2", blind)
    assert plain.predictions["score"].equals(other.predictions["score"])


def test_arms_with_the_same_seed_start_from_the_same_weights():
    data = dataset()
    plain, advised = build_model(spec(), data), build_model(distilled(), data)
    other = build_model(spec(seed=1), data)
    assert torch.equal(plain.head.weight, advised.head.weight)
    assert not torch.equal(plain.head.weight, other.head.weight)
    assert "text_encoder" in STUDENTS
