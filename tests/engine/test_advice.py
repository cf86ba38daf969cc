"""A frozen teacher's outputs, from its own trial to a student's loss."""

import pytest
import torch
from trials import dataset, run, spec

from harness.engine.advice import ADVICE_FILE, control_advice, load_advice, save_advice
from harness.engine.assembly import build_model, visible
from harness.engine.trial import CHECKPOINT_FILE
from harness.spec import BadInput
from harness.types import Outputs

IDS = tuple("abcdef")
INFO = dataset().info
CLIPS = dataset().train.take(torch.arange(6))


@pytest.fixture
def advice():
    return Outputs(torch.arange(6.0), class_logits=torch.eye(6), embedding=torch.rand(6, 3))


def test_advice_comes_back_in_the_order_asked_for(advice, tmp_path):
    save_advice(advice, IDS, tmp_path / "advice")
    backwards = load_advice([tmp_path / "advice"], IDS[::-1])
    assert torch.equal(backwards.score, advice.score.flip(0))
    assert torch.equal(backwards.class_logits, advice.class_logits.flip(0))


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "advice").write_bytes(b"no tensors")
    with pytest.raises(BadInput, match="advice: not a file of teacher outputs"):
        load_advice([tmp_path / "advice"], IDS)


def test_advice_for_other_clips_is_refused(advice, tmp_path):
    save_advice(advice, IDS, tmp_path / "advice")
    with pytest.raises(BadInput, match="6 clips do not match the 2 training clips; 1 are missing"):
        load_advice([tmp_path / "advice"], ("a", "z"))


def test_the_shuffled_control_permutes_whole_rows(advice):
    shuffled = control_advice(advice, "shuffled", CLIPS, INFO, seed=0)
    assert sorted(shuffled.score.tolist()) == advice.score.tolist()
    assert not torch.equal(shuffled.score, advice.score)
    assert torch.equal(shuffled.class_logits.argmax(1).float(), shuffled.score)


def test_without_a_control_advice_is_left_alone(advice):
    assert control_advice(advice, "none", CLIPS, INFO, seed=0) is advice


def test_stored_advice_equals_what_the_stored_teacher_says(tmp_path):
    from safetensors.torch import load_model

    data, what = dataset(), spec("teacher")
    done = run(what, tmp_path, data)
    stored = load_advice([done.files[ADVICE_FILE]], data.train.ids)
    teacher = build_model(what, data)
    load_model(teacher, done.files[CHECKPOINT_FILE])
    with torch.inference_mode():
        said = teacher.eval()(visible(what, teacher, data.train))
    torch.testing.assert_close(stored.score, said.score)
    torch.testing.assert_close(stored.class_logits, said.class_logits)
