"""Bfloat16 is half of everything but what is an integer."""

import torch
from backing import on, tiny

from harness.registry import STUDENTS, discover

discover()


def test_its_weights_are_half_as_large():
    model, clips = tiny(STUDENTS.get("text_encoder"))
    wanted = sum(
        each.nbytes // (2 if each.is_floating_point() else 1) for each in model.state_dict().values()
    )
    assert on("bf16", model, clips(1)).file_bytes() == wanted


def test_scores_are_those_of_weights_that_were_rounded():
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    runner = on("bf16", model, clips(3))
    with torch.inference_mode():
        found = runner(clips(3)).tensor("score")
        expected = model.to(torch.bfloat16)(clips(3).to(torch.device("cpu"), torch.bfloat16))
    assert found.dtype == torch.float32
    assert torch.equal(found, expected.tensor("score").float())


def test_the_notes_say_whether_the_processor_has_instructions_for_it():
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    assert on("bf16", model, clips(1)).notes()[1].endswith((": yes", ": no"))
