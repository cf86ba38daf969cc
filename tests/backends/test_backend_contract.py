"""What holds of every back end: it says what eager says, and leaves the model alone."""

import pytest
import torch
from backing import apart, on, state, tiny
from torch import nn

from harness.contracts import Unsupported
from harness.registry import BACKENDS, STUDENTS, discover
from harness.types import Batch, Outputs

discover()
STUDENT_NAMES = ("bag_of_words", "gru", "text_encoder")
REFUSED = {("onnxruntime", "gru"): "zeros\\(\\)"}
"""Packed sequences have as many rows at a step as there are clips that long: no shape of a graph."""

# Compiling takes longer than all the rest: of the default set, the smallest model alone.
SLOW = {("compile", "gru"), ("compile", "text_encoder")}
PAIRS = [
    pytest.param(
        backend.name,
        student,
        id=f"{backend.name}-{student}",
        marks=[pytest.mark.slow] if (backend.name, student) in SLOW else [],
    )
    for backend in BACKENDS
    for student in STUDENT_NAMES
]


class Stubborn(nn.Module):
    """A model that calls numpy halfway and has nothing to quantise."""

    def forward(self, batch: Batch) -> Outputs:
        return Outputs(torch.from_numpy(batch.text.values.numpy().sum((1, 2))))


@pytest.mark.parametrize(("backend", "student"), PAIRS)
def test_it_says_what_eager_says_with_padding_or_without_and_leaves_the_model_as_it_was(
    backend, student
):
    model, clips = tiny(STUDENTS.get(student))
    before = state(model)
    one, three = clips(1), clips(3)
    if (backend, student) in REFUSED:
        with pytest.raises(Unsupported, match=REFUSED[backend, student]):
            on(backend, model, one, three)
    else:
        runner = on(backend, model, one, three)
        tolerance = BACKENDS.get(backend).config().tolerance
        assert max(apart(runner, model, batch) for batch in (one, three)) <= tolerance
        # The first of the three is the one, with padding.
        assert (runner(three).first()[:1] - runner(one).first()).abs().max() <= tolerance
        assert runner.file_bytes() > 0
        assert all(runner.notes())
    for was, found in zip(before[0], state(model)[0], strict=True):
        assert torch.equal(was, found)
    assert before[1:] == state(model)[1:]
    model(three)


@pytest.mark.parametrize("backend", ["int8", "onnxruntime"])
def test_a_model_that_it_cannot_take_is_refused_in_one_line(backend):
    _, clips = tiny(STUDENTS.get("text_encoder"))
    batch = Batch(("a",), ("a",), torch.zeros(1), text=clips(1).tokens)
    with pytest.raises(Unsupported) as refused:
        on(backend, Stubborn().eval(), batch)
    assert str(refused.value).strip()
    assert "\n" not in str(refused.value)


def test_a_model_that_uses_numbers_numpy_has_not_is_refused_in_bf16():
    _, clips = tiny(STUDENTS.get("text_encoder"))
    tokens = clips(1).tokens
    batch = Batch(("a",), ("a",), torch.zeros(1), text=type(tokens)(tokens.values.float(), tokens.mask))
    with pytest.raises(Unsupported, match="bfloat16: TypeError"):
        on("bf16", Stubborn().eval(), batch)
