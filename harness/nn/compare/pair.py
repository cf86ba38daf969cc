"""The same output of a student and of its frozen teacher, ready to be compared."""

from __future__ import annotations

from torch import Tensor

from harness.nn.compare.geometry import precise
from harness.spec import BadInput, OutputName
from harness.types import Outputs


def pair(name: OutputName, outputs: Outputs, advice: Outputs | None) -> tuple[Tensor, Tensor]:
    """The student's and the teacher's output of that name, the teacher's without a gradient.

    Both are in single precision at least: differences of half precision are mostly rounding.

    Raises:
        ValueError: there is no advice, or one of the two does not give the output.
        BadInput: they have class logits of different numbers of levels.
    """
    if advice is None:
        raise ValueError(f"the loss compares with a teacher's {name}, and no advice was given")
    student, teacher = outputs.tensor(name), advice.tensor(name).detach()
    if name == "class_logits" and student.shape != teacher.shape:
        raise BadInput(
            f"the student tells {student.shape[1]} levels apart, its teacher {teacher.shape[1]}; "
            "class logits are compared level by level",
            key="class_logits",
        )
    return precise(student), precise(teacher)


def costs_nothing(values: Tensor) -> Tensor:
    """A zero with a zero gradient: the price of a clip that has no other to be compared with."""
    return 0 * values.sum()
