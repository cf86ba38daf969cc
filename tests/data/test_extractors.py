"""What turns clips into features, behind one door."""

import numpy as np
import pytest

from harness.data.clips.extractors import extractors
from harness.data.clips.extractors.identity import extractors_identity
from harness.data.clips.features import ClipFeatures, colour_grid, log_mel
from harness.data.events.features import EventFeatures, edge_histograms

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
SOUND = np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)


def test_by_default_features_are_mean_colours_and_log_mel_energies():
    config = ClipFeatures(grid=4, mel_bands=12)
    found = extractors(config)
    assert found.visual(FRAMES).tobytes() == colour_grid(FRAMES, 4).tobytes()
    assert found.acoustic(SOUND, 16000).tobytes() == log_mel(SOUND, 16000, config).tobytes()
    assert (found.vision_width, found.audio_width) == (48, 12)
    assert not found.networks
    assert not extractors_identity(config)
    assert found.notes() == (
        "visual features: mean colours of a grid of 4 × 4 cells, no weights",
        "acoustic features: log mel energies in 12 bands, 100 ms every 100 ms, no weights",
    )


def test_a_data_set_that_looks_at_pictures_in_its_own_way_still_does():
    found = extractors(EventFeatures())
    expected = edge_histograms(FRAMES, 4, 8, 1.0)
    assert found.visual(FRAMES).tobytes() == expected.tobytes()
    assert found.vision_width == expected.shape[1]
    assert (
        found.notes()[0] == "visual features: directions of edges in a grid of 4 × 4 cells, no weights"
    )


def test_nothing_is_there_for_a_view_that_was_not_asked_for():
    found = extractors(ClipFeatures(), frozenset({"audio"}))
    assert len(found.notes()) == 1
    with pytest.raises(ValueError, match="vision was not asked for"):
        found.visual(FRAMES)
