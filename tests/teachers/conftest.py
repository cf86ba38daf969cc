"""Architectures that open_clip does not know by itself."""

import json

import open_clip
import pytest
from teacher_samples import SMALL, TEXT, UNUSABLE


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Architectures small enough for tests, which open_clip builds and loads as it does its own."""
    folder = tmp_path_factory.mktemp("architectures")
    usable = {name: {"vision_cfg": vision, "text_cfg": TEXT} for name, vision in SMALL.items()}
    for name, towers in (usable | UNUSABLE).items():
        (folder / f"{name}.json").write_text(json.dumps({"embed_dim": 16, **towers}))
    open_clip.add_model_config(folder)
