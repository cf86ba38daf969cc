"""How long taking a mini-batch out of a split takes: all that collating is."""

import pytest
import torch

from harness.types import Batch, Padded

pytestmark = pytest.mark.bench
CLIPS, STEPS, MINI_BATCH = 1284, 50, 32


def features(width):
    lengths = torch.randint(1, STEPS + 1, (CLIPS, 1))
    mask = torch.arange(STEPS) < lengths
    return Padded(torch.randn(CLIPS, STEPS, width) * mask[..., None], mask)


@pytest.fixture(scope="module")
def split():
    """The training split of CMU-MOSI in shape: 1284 clips of three feature views."""
    torch.manual_seed(0)
    names = tuple(f"clip{number}" for number in range(CLIPS))
    return Batch(
        ids=names,
        video_ids=names,
        target=torch.randn(CLIPS),
        transcripts=names,
        text=features(768),
        vision=features(20),
        audio=features(5),
    )


def test_taking_a_mini_batch(timed, split):
    index = torch.randperm(CLIPS)[:MINI_BATCH]
    assert len(timed("operators", split.take, index)) == MINI_BATCH
