"""What a loss is handed of a student and a teacher."""

import pytest
import torch

from harness.nn.compare.pair import costs_nothing, pair
from harness.spec import BadInput
from harness.types import Outputs


def outputs(levels, dtype=torch.float64):
    score = torch.ones(3, dtype=dtype, requires_grad=True)
    return Outputs(score, class_logits=torch.ones(3, levels, dtype=dtype, requires_grad=True))


@pytest.mark.parametrize("name", ["score", "class_logits"])
def test_the_student_keeps_its_gradient_and_the_teacher_has_none(name):
    student, teacher = pair(name, outputs(5), outputs(5))
    assert student.requires_grad
    assert not teacher.requires_grad


def test_both_sides_are_in_single_precision_at_least():
    student, teacher = pair("score", outputs(5, torch.bfloat16), outputs(5, torch.float64))
    assert (student.dtype, teacher.dtype) == (torch.float32, torch.float64)


def test_without_a_teacher_there_is_no_pair():
    with pytest.raises(ValueError, match="teacher's score, and no advice was given"):
        pair("score", outputs(5), None)


def test_an_output_that_one_side_lacks_is_named():
    with pytest.raises(ValueError, match="'embedding' is missing"):
        pair("embedding", outputs(5), outputs(5))


def test_levels_that_do_not_match_are_refused_and_both_numbers_named():
    with pytest.raises(BadInput, match="class_logits: the student tells 5 levels apart, its teacher 7"):
        pair("class_logits", outputs(5), outputs(7))


def test_what_costs_nothing_is_still_part_of_the_graph():
    values = torch.ones(3, requires_grad=True)
    cost = costs_nothing(values)
    cost.backward()
    assert cost.item() == 0
    assert values.grad.tolist() == [0, 0, 0]
