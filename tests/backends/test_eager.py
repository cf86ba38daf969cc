"""Eager is the model itself, and its size that of its weights."""

import torch
from contract import clips_of, ready, ready_to_use
from safetensors.torch import save_model

from harness.backends.eager import Eager, EagerConfig
from harness.registry import STUDENTS, discover

discover()


def student():
    entry = STUDENTS.get("text_encoder")
    return ready_to_use(entry, entry.tiny_config())


def test_it_says_what_the_model_says():
    model = student()
    clips = ready(model, clips_of("sentiment", 3))
    runner = Eager(EagerConfig()).ready(model, [clips], threads=1)
    with torch.inference_mode():
        assert torch.equal(runner(clips).tensor("score"), model(clips).tensor("score"))


def test_its_size_is_that_of_the_file_less_the_header(tmp_path):
    model = student()
    save_model(model, str(tmp_path / "model.safetensors"))
    content = (tmp_path / "model.safetensors").read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    runner = Eager(EagerConfig()).ready(model, [clips_of("sentiment", 1)], threads=1)
    assert runner.file_bytes() == len(content) - header
