import numpy as np
import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d

from harness.data.clips.features import ClipFeatures, colour_grid, log_mel, mel_filters


@pytest.mark.parametrize(
    ("bands", "window", "rate"), [(8, 400, 16000), (24, 1600, 16000), (64, 1024, 22050)]
)
def test_mel_filters_equal_those_of_transformers(bands, window, rate):
    audio_utils = pytest.importorskip("transformers.audio_utils")
    theirs = audio_utils.mel_filter_bank(
        num_frequency_bins=window // 2 + 1,
        num_mel_filters=bands,
        min_frequency=0,
        max_frequency=rate / 2,
        sampling_rate=rate,
        norm=None,
        mel_scale="htk",
    )
    assert mel_filters(bands, window, rate) == pytest.approx(theirs, abs=1e-9)


def test_band_energies_equal_those_of_torch_stft():
    sound = np.random.default_rng(0).standard_normal(4000).astype(np.float32) * 0.1
    ours = log_mel(sound, 16000, ClipFeatures(mel_bands=12, window_ms=25, hop_ms=10))
    hann = torch.hann_window(400)
    spectrum = torch.stft(
        torch.from_numpy(sound), 400, 160, window=hann, center=False, return_complex=True
    )
    power = (spectrum.abs() ** 2 / (hann**2).sum()).T.numpy()
    assert ours == pytest.approx(np.log10(power @ mel_filters(12, 400, 16000)), abs=1e-4)


def test_a_row_stands_for_each_whole_window():
    config = ClipFeatures(mel_bands=8, window_ms=100, hop_ms=50)
    assert log_mel(np.zeros(16000, np.float32), 16000, config).shape == (19, 8)
    assert log_mel(np.zeros(1600, np.float32), 16000, config).tolist() == [[-8.0] * 8]


@pytest.mark.parametrize("grid", [1, 4, 16])
def test_colours_of_cells_are_their_means(grid):
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    expected = adaptive_avg_pool2d(pixels, grid).permute(0, 2, 3, 1).flatten(1).numpy()
    assert colour_grid(frames, grid) == pytest.approx(expected, abs=1e-5)
