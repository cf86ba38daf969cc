"""Bundles of Qt resources, written here by the format's own rules and read back."""

import struct

import pytest
from made_stamps import write_bundle

from harness.data.stamp_packages.bundle import read_bundle
from harness.spec import BadInput

FILES = {
    "a/b/one.txt": b"one" * 50,
    "a/b/two.txt": b"two",
    "a/three.txt": b"",
    "ünder/four.txt": bytes(range(256)),
}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_file_of_a_bundle_is_read_byte_by_byte(tmp_path, version):
    write_bundle(tmp_path / "x.rcc", FILES, version=version)
    assert read_bundle(tmp_path / "x.rcc") == FILES


@pytest.mark.parametrize("kept", [0, 3, 30, 150, 300])
def test_a_bundle_that_is_cut_off_is_one_line(tmp_path, kept):
    file = tmp_path / "x.rcc"
    write_bundle(file, FILES)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(BadInput, match=r"x\.rcc: path: no bundle of Qt resources, or damaged"):
        read_bundle(file)


def test_another_kind_of_file_is_no_bundle(tmp_path):
    (tmp_path / "x.rcc").write_bytes(b"PK\3\4" + b"\0" * 100)
    with pytest.raises(BadInput, match="expected it to begin with b'qres', found b'PK"):
        read_bundle(tmp_path / "x.rcc")


def test_a_folder_that_is_its_own_child_is_refused(tmp_path):
    file = tmp_path / "x.rcc"
    write_bundle(file, FILES)
    content = bytearray(file.read_bytes())
    # The first child of the root, entry 0 of a tree that begins after 24 bytes of header.
    struct.pack_into(">I", content, 24 + 10, 0)
    file.write_bytes(content)
    with pytest.raises(BadInput, match="entry 0 is in two folders"):
        read_bundle(file)


def test_compression_that_is_not_read_is_named(tmp_path):
    file = tmp_path / "x.rcc"
    write_bundle(file, {"one.txt": b"one"})
    content = bytearray(file.read_bytes())
    struct.pack_into(">H", content, 24 + 22 + 4, 4)
    file.write_bytes(content)
    with pytest.raises(BadInput, match="compressed by zstd, expected zlib"):
        read_bundle(file)


def test_a_bundle_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        read_bundle(tmp_path / "x.rcc")
