"""A tiny rendered set, made once, that tests copy before they damage it."""

import shutil

import pytest

from harness.data.rendered_sentiment import RenderedSentiment
from harness.registry import DATASETS

TINY = DATASETS.get("rendered_sentiment").tiny


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """The folder of the tiny set; read only."""
    folder = tmp_path_factory.mktemp("data") / "set"
    reader(folder).prepare()
    return folder


@pytest.fixture
def clips(rendered, tmp_path):
    """A copy that a test may alter."""
    return shutil.copytree(rendered, tmp_path / "clips")


def reader(folder, **changes):
    config = DATASETS.get("rendered_sentiment").configure({**TINY, "path": folder, **changes})
    return RenderedSentiment(config)
