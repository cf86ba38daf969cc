"""Packages that are not there unless an extra is installed."""

import sys

import pytest

from harness.nn.extras import find_extra
from harness.spec import BadInput


def test_a_missing_package_is_answered_with_the_extra_that_brings_it():
    with pytest.raises(BadInput, match=r"shape: .*nowhere_to_be_found.*'adviserbench\[extra\]'"):
        find_extra("nowhere_to_be_found", extra="extra", key="shape")


def test_a_package_is_found_and_not_imported(tmp_path, monkeypatch):
    (tmp_path / "loud_package.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_extra("loud_package", extra="extra", key="shape").origin
    assert "loud_package" not in sys.modules
