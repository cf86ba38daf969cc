"""How long each loss takes on a batch of outputs, with its gradients."""

import pytest
import torch
from loss_samples import advice_for, build, clips, losses, student

pytestmark = pytest.mark.bench
MINI_BATCH = 24


@losses(lambda entry: True)
def test_a_loss_and_its_gradients(timed, entry):
    torch.manual_seed(0)
    trained = student(MINI_BATCH, entry, needs_gradient=True)
    batch, advice, loss = clips(MINI_BATCH, entry), advice_for(entry, MINI_BATCH), build(entry)

    def once():
        value = loss(trained, batch, advice)
        value.backward()
        return value

    assert timed("gradients", once).isfinite()
