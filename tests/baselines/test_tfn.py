"""Tensor fusion against NumPy's Kronecker product."""

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


def test_the_model_fuses_its_sub_networks_and_reads_the_score_from_it():
    model = TFN(TFNConfig(text_width=4, vision_width=3, audio_width=2), DATA.info).eval()
    outputs = model(DATA.test)
    parts = model.text(DATA.test), model.vision(DATA.test.vision), model.audio(DATA.test.audio)
    np.testing.assert_allclose(
        outputs.embedding.detach().numpy(),
        fusion(*(part.detach().numpy() for part in parts)),
        rtol=1e-5,
        atol=1e-7,
    )
    assert outputs.embedding.shape == (16, 5 * 4 * 3)
    assert model.head(outputs.embedding).squeeze(1).equal(outputs.score)


@pytest.mark.parametrize("bound", [-10.0, 10.0])
def test_no_label_range_bounds_the_score(bound):
    model = TFN(TFNConfig(), DATA.info).eval()
    torch.nn.init.constant_(model.head[-1].bias, bound)
    torch.nn.init.zeros_(model.head[-1].weight)
    assert model(DATA.test).score.detach().tolist() == [bound] * 16
