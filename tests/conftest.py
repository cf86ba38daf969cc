"""Settings of the test run; fixtures live beside the tests that use them."""

import pytest
import torch
from hypothesis import settings

# Shared machines stall for longer than any deadline, and a run must find the same things twice.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def one_thread():
    """Models this small wait for their threads: on a busy machine, up to forty times longer."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
