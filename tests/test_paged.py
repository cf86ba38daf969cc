"""Pixels in a file are pixels."""

import tempfile
from pathlib import Path

import torch

from harness.paged import cat_paged, empty_paged


def test_what_is_written_to_a_file_is_read_back_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pixels = torch.randint(0, 256, (5, 2, 3, 4, 4), dtype=torch.uint8)
    paged = empty_paged(pixels.shape, torch.uint8, in_memory=0)
    for row in range(5):
        paged[row] = pixels[row]
    assert paged.equal(pixels)
    assert paged[torch.tensor([3, 1])].equal(pixels[[3, 1]])


def test_the_file_has_no_name_and_so_cannot_be_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    paged = empty_paged((2, 3), torch.uint8, in_memory=0)
    paged[:] = 7
    assert list(tmp_path.iterdir()) == []
    maps = Path("/proc/self/maps")
    # Where the system can be asked, it knows that the pixels are in a file all the same.
    assert not maps.exists() or str(tmp_path) in maps.read_text(encoding="utf-8")


def test_few_pixels_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    assert empty_paged((2, 3), torch.uint8, in_memory=6).shape == (2, 3)


def test_parts_stand_one_after_the_other_the_shorter_padded():
    parts = [torch.ones(2, 3, 4), torch.full((1, 1, 4), 2.0)]
    whole = cat_paged(parts)
    assert whole[:2].equal(parts[0])
    assert whole[2, 0].equal(parts[1][0, 0])
    assert not whole[2, 1:].any()


def test_parts_of_one_dimension_and_of_one_length_are_torchs_own_cat():
    for shape in ((3,), (3, 2), (3, 2, 4)):
        parts = [torch.rand(*shape) for _ in range(3)]
        assert cat_paged(parts).equal(torch.cat(parts))
