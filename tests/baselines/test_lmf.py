"""Low-rank fusion against the full tensor that it stands for."""

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from baselines.sentiment.lmf import LMF, LMFConfig, LowRankFactors

DATA = Toy(ToyConfig()).load()
SIZES = {"text_hidden": 6, "text_width": 4, "vision_width": 3, "audio_width": 2}


def model(**params):
    torch.manual_seed(0)
    return LMF(LMFConfig(**SIZES, **params), DATA.info).eval()


def array(tensor):
    return tensor.detach().double().numpy()


@pytest.mark.parametrize("rank", [1, 3])
def test_the_score_is_the_tensor_product_with_a_weight_tensor_of_that_rank(rank):
    lmf = model(rank=rank)
    torch.nn.init.constant_(lmf.bias, 0.25)
    text, vision, audio = (
        np.hstack((array(vector), np.ones((16, 1)))) for vector in lmf.vectors(DATA.test)
    )
    weights = np.einsum("ri,rj,rk->ijk", *(array(factor) for factor in lmf.factors.of))
    tensor = np.einsum("bi,bj,bk->bijk", text, vision, audio)
    expected = (tensor * weights).sum((1, 2, 3)) + 0.25
    np.testing.assert_allclose(array(lmf(DATA.test).score), expected, rtol=1e-4, atol=1e-6)


def test_a_small_case_by_hand():
    factors = LowRankFactors((1, 1), rank=2)
    factors.of = torch.nn.ParameterList(
        [torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([[1.0, 0.0], [4.0, 1.0]])]
    )
    found = factors((torch.tensor([[5.0]]), torch.tensor([[7.0]])))
    assert found.tolist() == [[(2 * 5 + 1) * 7, 3 * (4 * 7 + 1)]]


def test_the_products_are_what_it_gives_as_its_vector():
    lmf = model()
    outputs = lmf(DATA.test)
    assert outputs.embedding.shape == (16, 3)
    torch.testing.assert_close(outputs.embedding.sum(1) + lmf.bias, outputs.score)


def test_the_peers_sum_is_weighted():
    lmf = model(fusion="peer")
    outputs = lmf(DATA.test)
    torch.testing.assert_close(outputs.embedding @ lmf.weights[0] + lmf.bias, outputs.score)


def test_the_peers_weights_and_bias_are_not_trained_and_the_papers_bias_is():
    peer, paper = model(fusion="peer"), model()
    assert {name for name, _ in peer.named_parameters() if peer.rate_scale(name) == 0} == {
        "weights",
        "bias",
    }
    assert paper.rate_scale("bias") == 1


def test_the_factors_learn_at_a_rate_of_their_own():
    lmf = model(factor_rate=0.25)
    rates = {name.partition(".")[0]: lmf.rate_scale(name) for name, _ in lmf.named_parameters()}
    assert rates == {
        "factors": 0.25,
        "bias": 1,
        "text_vector": 1,
        "vision_vector": 1,
        "audio_vector": 1,
    }
