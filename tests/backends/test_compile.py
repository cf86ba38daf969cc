"""torch.compile needs a compiler, and what that says is one line."""

import pytest
import torch
from backing import on, tiny
from contract import longer

from harness.contracts import Unsupported
from harness.registry import STUDENTS, discover

discover()


def test_without_a_compiler_it_is_refused_and_the_compiler_named(monkeypatch):
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(Unsupported, match=r"needs a C\+\+ compiler on a CPU; 'no-such-compiler'"):
        on("compile", model, clips(1))


def test_what_fails_in_the_compiler_is_told_in_its_first_line(monkeypatch):
    def failing(graph, inputs):
        raise ArithmeticError("this graph\nis not for me")

    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model, **_: compiled(model, backend=failing))
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    with pytest.raises(Unsupported, match=r"^torch\.compile: .*ArithmeticError: this graph$"):
        on("compile", model, clips(1))


def test_a_graph_for_each_of_many_lengths_is_refused_where_torch_would_go_on_as_eager(monkeypatch):
    compiled = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda model, **_: compiled(model, backend="eager", dynamic=False)
    )
    monkeypatch.setattr("harness.backends.compile.GRAPHS", 3)
    model, clips = tiny(STUDENTS.get("bag_of_words"))
    with pytest.raises(Unsupported, match="recompile limit"):
        on("compile", model, *[longer(clips(2), steps) for steps in range(4)], dynamic=False)
