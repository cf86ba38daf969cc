"""CubeMLP against its formula written out in NumPy, axis by axis."""

from dataclasses import replace
from math import erf

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from toy import Toy, ToyConfig

from baselines.sentiment.cubemlp import CubeMLP, CubeMLPConfig
from harness.nn.align import pooled
from harness.nn.cube import CubeBlock
from harness.spec import BadInput

DATA = Toy(ToyConfig()).load()
SIZES = {"width": 4, "block_steps": (3, 2), "block_widths": (5, 3), "head_width": 6}
LONGEST = DATA.info.text_steps


def model(**params):
    torch.manual_seed(0)
    return CubeMLP(CubeMLPConfig(align="pool", **{**SIZES, **params}), DATA.info).eval()


def array(tensor):
    return tensor.detach().double().numpy()


def affine(layer, row):
    return array(layer.weight) @ row + (0 if layer.bias is None else array(layer.bias))


def unit(mix, row):
    """One line of numbers along the axis of a unit."""
    normalised = (row - row.mean()) / np.sqrt(row.var() + 1e-6)
    normalised = normalised * array(mix.norm.weight) + array(mix.norm.bias)
    hidden = affine(mix.mix[0], normalised)
    gelu = np.array([each * (1 + erf(each / 2**0.5)) / 2 for each in hidden])
    return affine(mix.mix[2], gelu) + affine(mix.shortcut, row)


def naive(block, cube):
    """One clip's cube (L, M, D) through the units, line by line."""
    for axis, mix in enumerate(block):
        cube = np.apply_along_axis(lambda row, mix=mix: unit(mix, row), axis, cube)
    return cube


def test_a_block_is_its_three_units_line_by_line():
    torch.manual_seed(0)
    block, cubes = CubeBlock((4, 3, 5), (3, 2, 6), dropout=0.5).eval(), torch.randn(2, 4, 3, 5)
    for value in block.parameters():
        torch.nn.init.normal_(value)
    expected = np.stack([naive(block, array(cube)) for cube in cubes])
    assert expected.shape == (2, 3, 2, 6)
    np.testing.assert_allclose(array(block(cubes)), expected, rtol=1e-4, atol=1e-4)


def test_its_score_is_a_rectified_layer_and_a_sum_over_the_mixed_cube_laid_flat():
    cubemlp = model()
    cubes, outputs = array(cubemlp.cube(DATA.test)), cubemlp(DATA.test)
    for row in range(3):
        cube = cubes[row]
        for block in cubemlp.blocks:
            cube = naive(block, cube)
        flat = cube.reshape(-1)
        np.testing.assert_allclose(array(outputs.embedding[row]), flat, rtol=1e-4, atol=1e-5)
        inner = np.maximum(affine(cubemlp.head[0], flat), 0)
        np.testing.assert_allclose(
            array(outputs.score[row]), affine(cubemlp.head[-1], inner)[0], rtol=1e-4
        )
    assert outputs.embedding.shape == (16, 2 * 3 * 3)


def test_the_cube_has_text_vision_and_audio_at_the_steps_of_the_text():
    cubemlp, batch = model(steps=9), DATA.test
    cube = cubemlp.cube(batch)
    length = int(batch.text.lengths[2])
    assert cube.shape == (16, 9, 3, 4)
    assert not cube[2, length:].any()
    text = cubemlp.text_channels(batch.text.values[2, :length])
    torch.testing.assert_close(cube[2, :length, 0], text)
    for at, view in ((1, "vision"), (2, "audio")):
        sequence = pooled(getattr(batch, view), batch.text).take(torch.tensor([2]))
        recurrent = getattr(cubemlp, f"{view}_channels")
        states = recurrent.gru(sequence.values)[0].unflatten(2, (2, 4)).sum(2)
        torch.testing.assert_close(cube[2, :length, at], recurrent.norm(states).relu()[0])


def test_resampled_clips_fill_every_step_whatever_their_length():
    cube = model(steps=2, fit="resample").cube(DATA.test)
    padded = model().cube(DATA.test)
    row = int(DATA.test.text.lengths.argmax())
    length = int(DATA.test.text.lengths[row])
    assert length > 2
    half = padded[row, : -(-length // 2)].mean(0)
    torch.testing.assert_close(cube[row, 0], half)
    assert model(steps=12, fit="resample").cube(DATA.test)[:, -1, 0].any(1).all()


def test_a_block_leaves_no_more_steps_than_come_in():
    one = replace(DATA.info, text_steps=1)
    cubemlp = CubeMLP(CubeMLPConfig(align="pool", width=4), one)
    assert [block[0].mix[2].out_features for block in cubemlp.blocks] == [1, 1]


def test_texts_longer_than_the_cube_are_refused_before_training():
    with pytest.raises(BadInput, match=f"has 2 steps, and texts have up to {LONGEST}"):
        model(steps=2)


def test_a_batch_longer_than_the_data_said_is_refused():
    short = CubeMLP(CubeMLPConfig(align="pool", **SIZES), replace(DATA.info, text_steps=2))
    with pytest.raises(ValueError, match=f"up to 2 steps, given {LONGEST}"):
        short(DATA.train)


def test_features_that_are_not_aligned_are_refused_with_what_can_be_done():
    with pytest.raises(BadInput, match="align: pool"):
        CubeMLP(CubeMLPConfig(), DATA.info)


@pytest.mark.parametrize("steps", [(3,), (0, 2), ()])
def test_blocks_of_other_numbers_of_steps_than_channels_are_refused(steps):
    with pytest.raises(ValidationError, match="one number of steps and one of channels"):
        CubeMLPConfig(block_steps=steps, block_widths=(4, 4) if steps else ())
