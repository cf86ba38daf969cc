"""Pixels in a file are pixels."""

import tempfile
from pathlib import Path

import torch

from harness.data.parts.paged import empty_pixels


def test_what_is_written_to_a_file_is_read_back_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pixels = torch.randint(0, 256, (5, 2, 3, 4, 4), dtype=torch.uint8)
    paged = empty_pixels(*pixels.shape, in_memory=0)
    for row in range(5):
        paged[row] = pixels[row]
    assert paged.equal(pixels)
    assert paged[torch.tensor([3, 1])].equal(pixels[[3, 1]])


def test_the_file_has_no_name_and_so_cannot_be_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    paged = empty_pixels(2, 3, in_memory=0)
    paged[:] = 7
    assert list(tmp_path.iterdir()) == []
    maps = Path("/proc/self/maps")
    # Where the system can be asked, it knows that the pixels are in a file all the same.
    assert not maps.exists() or str(tmp_path) in maps.read_text(encoding="utf-8")


def test_few_pixels_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    assert empty_pixels(2, 3, in_memory=6).shape == (2, 3)
