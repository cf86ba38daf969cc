"""Even samples and averages over stretches, against their formulas in plain Python."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.nn.stretches import average_stretches, spread, take_evenly
from harness.spec import BadInput
from harness.types import Padded


def sequence(lengths, width=2):
    """Steps that hold their own number."""
    steps = max(*lengths, 1)
    mask = torch.arange(steps) < torch.tensor(lengths).unsqueeze(1)
    values = torch.arange(steps, dtype=torch.float32).view(1, -1, 1).expand(len(lengths), -1, width)
    return Padded(values * mask.unsqueeze(2), mask)


@given(st.lists(st.integers(5, 30), min_size=1, max_size=4), st.integers(1, 5))
def test_the_middle_of_every_stretch_is_taken(lengths, count):
    found = take_evenly(sequence(lengths), count, ("a",) * len(lengths))
    expected = [[int((i + 0.5) * n / count) for i in range(count)] for n in lengths]
    assert found.values[:, :, 0].tolist() == expected
    assert found.mask.all()


def test_of_eight_frames_four_are_the_odd_ones():
    found = take_evenly(sequence([8]), 4, ("a",))
    assert found.values[0, :, 0].tolist() == [1, 3, 5, 7]


def test_all_frames_are_all_frames():
    assert take_evenly(sequence([5]), 5, ("a",)).values[0, :, 0].tolist() == [0, 1, 2, 3, 4]


def test_more_frames_than_a_clip_has_are_refused_with_both_numbers_and_the_rule():
    with pytest.raises(BadInput, match=r"frames_used: .*at least 4.*found 3 in 'b'.*floor") as fault:
        take_evenly(sequence([5, 3]), 4, ("a", "b"))
    assert fault.value.key == "frames_used"


@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 9))
def test_a_stretch_is_the_mean_of_its_steps(lengths, count):
    found = average_stretches(sequence(lengths), count)
    for row, n in enumerate(lengths):
        if n <= count:
            expected = list(range(n))
        else:
            parts = [[t for t in range(n) if t * count // n == part] for part in range(count)]
            expected = [np.mean(part) for part in parts]
        shown = found.values[row][found.mask[row]]
        np.testing.assert_allclose(shown[:, 0].numpy(), expected, rtol=1e-5)
        assert not found.values[row][~found.mask[row]].any()


def test_a_short_sequence_keeps_its_own_length():
    found = average_stretches(sequence([3, 20]), 8)
    assert found.lengths.tolist() == [3, 8]


def test_existing_rows_find_their_places():
    mask = torch.tensor([[True, False], [True, True], [False, False]])
    rows = torch.tensor([[1.0], [2.0], [3.0]])
    assert spread(rows, mask)[:, :, 0].tolist() == [[1, 0], [2, 3], [0, 0]]
    assert spread(rows, mask)[mask].equal(rows)
