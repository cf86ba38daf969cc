"""How a record puts what went wrong."""

import pytest

from harness.engine.faults import failure
from harness.spec import BadInput


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BadInput("too many directions", key="width"), "width: too many directions"),
        (FloatingPointError("nothing is finite"), "FloatingPointError: nothing is finite"),
    ],
)
def test_a_users_fault_is_put_in_words_and_a_programs_fault_with_its_name(error, message):
    try:
        raise error
    except (BadInput, FloatingPointError) as caught:
        found = failure(caught)
    assert found.message == message
    assert type(error).__name__ in found.traceback
