"""A refusal is one line, of the error that everything began with."""

import pytest

from harness.backends.refusal import refusing
from harness.contracts import Unsupported
from harness.nn.first_cause import LONGEST


def test_the_first_line_of_the_first_cause_is_told():
    fault = RuntimeError("somewhere else")
    fault.__cause__ = ValueError("here\nand there")
    with pytest.raises(Unsupported) as told, refusing("the export"):
        raise fault
    assert str(told.value) == "the export: ValueError: here"


def test_a_line_that_announces_the_next_is_told_with_it():
    with pytest.raises(Unsupported, match=r"^x: ValueError: found these: - a shape$"), refusing("x"):
        raise ValueError("found these:\n  - a shape\n  - another")


def test_a_refusal_stays_as_it_is():
    with pytest.raises(Unsupported, match=r"^never$"), refusing("the export"):
        raise Unsupported("never")


def test_an_error_without_words_is_told_by_its_class_and_a_long_line_is_cut():
    with pytest.raises(Unsupported, match=r"^x: ZeroDivisionError$"), refusing("x"):
        raise ZeroDivisionError
    with pytest.raises(Unsupported) as told, refusing("x"):
        raise ValueError("a" * 1000)
    assert len(str(told.value)) == LONGEST + len("x: ")


def test_an_interruption_is_no_refusal():
    with pytest.raises(KeyboardInterrupt), refusing("x"):
        raise KeyboardInterrupt
