"""A frozen teacher's outputs, from its own trial to a student's loss."""

from dataclasses import replace

import pytest
import torch
from trials import dataset, run, spec

from harness.engine.advice import ADVICE_FILE, control_advice, load_advice, save_advice
from harness.engine.assembly import build_model, visible
from harness.engine.trial import CHECKPOINT_FILE
from harness.spec import BadInput
from harness.types import Outputs, Padded

IDS = tuple("abcdef")
INFO = dataset().info
CLIPS = dataset().train.take(torch.arange(6))


@pytest.fixture
def advice():
    return Outputs(torch.arange(6.0), class_logits=torch.eye(6), embedding=torch.rand(6, 3))


@pytest.fixture
def whole():
    mask = torch.ones(6, 2, dtype=torch.bool)
    mask[:3, 1] = False
    values = torch.rand(6, 2, 4) * mask.unsqueeze(2)
    return Outputs(torch.arange(6.0), embedding=torch.rand(6, 3), hidden=Padded(values, mask))


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


def test_the_shuffled_control_moves_every_output_of_a_clip_together(whole):
    shuffled = control_advice(whole, "shuffled", CLIPS, INFO, seed=0)
    rows = shuffled.score.long()
    assert shuffled.embedding.equal(whole.embedding[rows])
    assert shuffled.hidden.mask.equal(whole.hidden.mask[rows])


def test_the_constant_control_says_the_mean_of_every_clip(whole):
    constant = control_advice(whole, "constant", CLIPS, INFO, seed=0)
    assert constant.score.tolist() == pytest.approx([2.5] * 6)
    assert constant.embedding.equal(whole.embedding.mean(0).expand(6, 3))
    # The first step is there in all clips, the second in the last three.
    torch.testing.assert_close(constant.hidden.values[0, 0], whole.hidden.values[:, 0].mean(0))
    torch.testing.assert_close(constant.hidden.values[0, 1], whole.hidden.values[3:, 1].mean(0))
    assert constant.hidden.mask.all()


def test_the_label_echo_says_the_label_as_score_and_as_expected_level(whole):
    echo = control_advice(replace(whole, class_logits=torch.rand(6, 7)), "label_echo", CLIPS, INFO, 0)
    assert echo.score.equal(CLIPS.target)
    expected = echo.class_logits.softmax(1) @ INFO.levels(7)
    torch.testing.assert_close(expected, CLIPS.target, atol=1e-4, rtol=0)
    assert (echo.embedding, echo.hidden) == (None, None)


def test_sequences_come_back_too_and_folds_of_other_lengths_fit_together(whole, tmp_path):
    short = Outputs(torch.arange(2.0), hidden=Padded(torch.ones(2, 1, 4), torch.ones(2, 1).bool()))
    long = Outputs(torch.arange(2.0), hidden=Padded(torch.ones(2, 3, 4), torch.ones(2, 3).bool()))
    save_advice(short, ("a", "b"), tmp_path / "short")
    save_advice(long, ("c", "d"), tmp_path / "long")
    found = load_advice([tmp_path / "short", tmp_path / "long"], ("d", "a", "c", "b"))
    assert found.hidden.lengths.tolist() == [3, 1, 3, 1]
    assert found.score.tolist() == [1, 0, 0, 1]


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
