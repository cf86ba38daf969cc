"""Tensor fusion against NumPy's Kronecker product."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from baselines.sentiment.tfn import TFN, TFNConfig, tensor_fusion

DATA = Toy(ToyConfig()).load()


def vectors(*widths, clips=3):
    draw = np.random.default_rng(0)
    return [draw.normal(size=(clips, width)) for width in widths]


def fusion(*parts):
    return tensor_fusion(*(torch.tensor(part) for part in parts)).numpy()


def test_it_is_the_kronecker_product_of_vectors_that_end_in_one():
    parts = vectors(4, 3, 2)
    text, vision, audio = (np.hstack((part, np.ones((3, 1)))) for part in parts)
    expected = [np.kron(np.kron(text[row], vision[row]), audio[row]) for row in range(3)]
    np.testing.assert_allclose(fusion(*parts), np.stack(expected))


def test_the_unimodal_vectors_and_a_one_are_the_edges_of_the_cube():
    text, vision, audio = vectors(4, 3, 2)
    cube = fusion(text, vision, audio).reshape(3, 5, 4, 3)
    np.testing.assert_allclose(cube[:, :-1, -1, -1], text)
    np.testing.assert_allclose(cube[:, -1, :-1, -1], vision)
    np.testing.assert_allclose(cube[:, -1, -1, :-1], audio)
    np.testing.assert_array_equal(cube[:, -1, -1, -1], 1)


def test_the_last_entries_are_the_audio_vector_and_a_one():
    text, vision, audio = vectors(4, 3, 2)
    np.testing.assert_allclose(fusion(text, vision, audio)[:, -3:], np.hstack((audio, np.ones((3, 1)))))


def test_the_faces_of_the_cube_are_the_bimodal_products():
    text, vision, audio = vectors(4, 3, 2)
    cube = fusion(text, vision, audio).reshape(3, 5, 4, 3)
    np.testing.assert_allclose(cube[:, :-1, :-1, -1], np.einsum("bi,bj->bij", text, vision))
    np.testing.assert_allclose(cube[:, :-1, -1, :-1], np.einsum("bi,bk->bik", text, audio))
    np.testing.assert_allclose(cube[:, -1, :-1, :-1], np.einsum("bj,bk->bjk", vision, audio))


def test_a_small_case_by_hand():
    found = fusion(*(np.array([[value]]) for value in (2.0, 3.0, 5.0)))
    assert found.tolist() == [[30.0, 6.0, 10.0, 2.0, 15.0, 3.0, 5.0, 1.0]]


SIZES = {"text_width": 4, "vision_width": 3, "audio_width": 2}


def test_the_model_fuses_its_sub_networks():
    model = TFN(TFNConfig(**SIZES), DATA.info).eval()
    outputs = model(DATA.test)
    parts = model.vectors(DATA.test)
    np.testing.assert_allclose(
        outputs.embedding.detach().numpy(),
        fusion(*(part.detach().numpy() for part in parts)),
        rtol=1e-5,
        atol=1e-7,
    )
    assert outputs.embedding.shape == (16, 5 * 4 * 3)


def test_the_score_is_a_sigmoid_over_the_label_range_of_the_head():
    info = replace(DATA.info, label_range=(-1.0, 3.0))
    model = TFN(TFNConfig(**SIZES), info).eval()
    outputs = model(DATA.test)
    logits = model.head(outputs.embedding).detach().numpy()[:, 0]
    expected = -1 + 4 / (1 + np.exp(-logits))
    np.testing.assert_allclose(outputs.score.detach().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("output", "lowest", "highest"), [("paper", -1, 1), ("peer", -3, 3), ("linear", -50, 50)]
)
def test_a_score_lies_within_the_bounds_that_the_output_says(output, lowest, highest):
    info = replace(DATA.info, label_range=(-1.0, 1.0))
    model = TFN(TFNConfig(output=output), info).eval()
    torch.nn.init.zeros_(model.head[-1].weight)
    for bias, bound in ((-50.0, lowest), (50.0, highest)):
        torch.nn.init.constant_(model.head[-1].bias, bias)
        np.testing.assert_allclose(model(DATA.test).score.detach().numpy(), [bound] * 16, atol=1e-6)
