"""Statistics of sounds and pictures, against formulas."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from harness.data.encoders.log_mel import LogMel
from harness.data.encoders.picture_statistics import PictureStatistics, colours, edges

RATE = 16000


def tone(hz, seconds=0.5):
    return (np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE) / 2).astype(np.float32)


def noise(seconds=0.5):
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def test_ten_times_the_amplitude_is_two_more_in_every_band_and_no_other_spread():
    quiet, loud = LogMel().encode([noise(), 10 * noise()])
    assert_close(loud[:64], quiet[:64] + 2, atol=1e-4, rtol=0)
    assert_close(loud[64:], quiet[64:], atol=1e-4, rtol=0)


@pytest.mark.parametrize("hz", [300, 1000, 3000, 6000])
def test_a_tone_is_loudest_in_the_band_that_is_centred_nearest(hz):
    mel = 2595 * np.log10(1 + np.array([hz, RATE / 2]) / 700)
    nearest = round(mel[0] / mel[1] * 65) - 1
    assert int(LogMel().encode([tone(hz)])[0, :64].argmax()) == nearest


def test_the_energies_are_those_of_a_plain_fourier_sum():
    sound, n, bands = noise(0.04), 400, 64
    top = 2595 * np.log10(1 + 8000 / 700)
    corner = [700 * (10 ** (top * i / (bands + 1) / 2595) - 1) for i in range(bands + 2)]
    hann = np.array([0.5 - 0.5 * np.cos(2 * np.pi * i / n) for i in range(n)])
    rows = []
    for start in (0, 160):
        piece = sound[start : start + n] * hann
        turn = np.exp(-2j * np.pi * np.outer(np.arange(n // 2 + 1), np.arange(n)) / n)
        power = np.abs(turn @ piece) ** 2 / (hann**2).sum()
        row = []
        for low, middle, high in zip(corner, corner[1:], corner[2:], strict=False):
            shape = np.interp(np.arange(n // 2 + 1) * 40.0, [low, middle, high], [0, 1, 0])
            row.append(np.log10(max(float(shape @ power), 1e-8)))
        rows.append(row)
    expected = np.concatenate([np.mean(rows, 0), np.std(rows, 0)])
    assert_close(LogMel().encode([sound])[0].double(), torch.from_numpy(expected), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("length", [0, 1, 399, 400])
def test_a_sound_as_short_as_may_be_has_finite_statistics(length):
    found = LogMel().encode([noise()[:length]])
    assert found.shape == (1, 128)
    assert found.isfinite().all()


def test_a_histogram_counts_every_pixel_in_the_cell_of_its_colour():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:2] = (255, 255, 255)
    picture[2:4] = (64, 0, 127)
    found = colours(picture)
    assert found.sum() == pytest.approx(1)
    assert {place: share for place, share in enumerate(found) if share} == {
        63: 0.25,
        1 * 16 + 0 * 4 + 1: 0.25,
        0: 0.5,
    }


def test_stripes_have_edges_in_one_direction_alone():
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::4] = 255
    across = edges(stripes).reshape(4, 4, 8)
    down = edges(stripes.transpose(1, 0, 2)).reshape(4, 4, 8)
    assert (across[..., 1:] == 0).all()
    assert across[..., 0].min() > 0.15
    # A turn by 90° is half of the eight directions, which span 180°.
    assert (down[..., [0, 1, 2, 3, 5, 6, 7]] == 0).all()
    np.testing.assert_allclose(down[..., 4], across[..., 0].T)


def test_edges_of_the_negative_are_those_of_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    # The gradient turns by 180°, which is the same undirected angle.
    np.testing.assert_allclose(edges(255 - picture), edges(picture), atol=1e-9)


def test_a_picture_of_one_colour_has_no_edges_and_both_parts_lie_side_by_side():
    picture = np.full((224, 224, 3), 200, np.uint8)
    (found,) = PictureStatistics().encode([picture])
    assert found.shape == (192,)
    assert found[:64].sum() == 1
    assert (found[64:] == 0).all()
