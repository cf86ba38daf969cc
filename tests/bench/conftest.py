import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other make a busy machine look forty times slower than it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
