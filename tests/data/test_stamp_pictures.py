"""From files of pictures to pixels on white paper."""

import io
from pathlib import Path

import numpy as np
import pytest
from made_stamps import drawing, picture
from PIL import Image

from harness.data.stamp_packages.pictures import read_picture
from harness.spec import BadInput

FILE = Path("owl.png")


def read(content, suffix=".png", side=24):
    return read_picture(content, suffix, side=side, file=FILE)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [(picture(200), ".png"), (picture(200, kind="WEBP"), ".webp"), (drawing(200), ".svg")],
)
def test_a_picture_is_the_same_in_every_kind_of_file(content, suffix):
    # 12 × 8, the left half coloured: 24 × 16 in the middle of 24 × 24 white pixels.
    seen = read(content, suffix)
    assert seen.shape == (24, 24, 3)
    assert seen.dtype == np.uint8
    assert (seen[:4] == 255).all()
    assert (seen[20:] == 255).all()
    assert (seen[6:18, 14:] == 255).all()
    assert (seen[6:18, 2:8] == (200, 100, 50)).all()


def test_what_is_hidden_by_transparency_does_not_colour_the_edge():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 0] = 255
    pixels[:, :32] = (0, 0, 255, 255)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    seen = read(target.getvalue(), side=20).astype(int)
    # Blue on white has no more red than green anywhere, whatever colour lies unseen beside it.
    assert abs(seen[..., 0] - seen[..., 1]).max() <= 1


@pytest.mark.parametrize("size", [(40, 4), (4, 40), (2, 300)])
def test_a_long_picture_is_seen_whole(size):
    seen = read(picture(0, size))
    assert (seen != 255).any(2).sum() > 0
    assert seen.shape == (24, 24, 3)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [(b"", ".png"), (picture(1)[:50], ".png"), (b"<svg", ".svg"), (b"\xff\xfe", ".svg")],
)
def test_a_damaged_picture_is_one_line(content, suffix):
    with pytest.raises(BadInput, match=r"owl\.png: path: a (picture|drawing) cannot be") as fault:
        read(content, suffix)
    assert "\n" not in str(fault.value)
