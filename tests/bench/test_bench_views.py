"""How long it takes to turn a clip's pictures and sound into features, and transcripts into tokens."""

import numpy as np
import pytest
from contract import DATA

from harness.contracts import Tokenises
from harness.data.clips.features import ClipFeatures, colour_grid, log_mel
from harness.registry import BASELINES, BUILTIN_PACKAGES, STUDENTS

pytestmark = pytest.mark.bench
FRAMES, SIDE, RATE, SECONDS = 8, 224, 16_000, 4


def test_colours_of_a_clip(timed):
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, SIDE, SIDE, 3), np.uint8)
    assert timed("arrays", colour_grid, frames, 8).shape == (FRAMES, 192)


def test_band_energies_of_a_clip(timed):
    sound = np.random.default_rng(0).normal(size=SECONDS * RATE).astype(np.float32)
    assert timed("arrays", log_mel, sound, RATE, ClipFeatures()).shape == (40, 24)


# Of the tiny versions those that read transcripts: the others hand the clips on as they are.
@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(entry, id=entry.name)
        for registry in (STUDENTS, BASELINES)
        for entry in registry
        if issubclass(entry.builder, Tokenises)
        and entry.builder.__module__.startswith(BUILTIN_PACKAGES)
        and "transcript" in entry.tiny_config().needs()
    ],
)
def test_tokens_of_transcripts(timed, entry):
    model = entry.builder(entry.tiny_config(), DATA.info)
    assert len(timed("python", model.tokenise, DATA.train).tokens.values) == len(DATA.train)
