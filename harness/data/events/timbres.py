"""A sound with a timbre: spectrum and envelope are the class's, pitch, beat and level the video's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.data.events.config import EventRendering
from harness.data.events.scene import Scene

Samples = NDArray[np.floating]

_PITCH_HZ = 220.0
_LOUDNESS = 0.1
"""Root mean square of a sound in the middle of the range of levels."""


@dataclass(frozen=True)
class Voice:
    """What the clips of one video have in common.

    Attributes:
        pitch_hz: of what has a pitch; bands of noise move with it.
        tempo_hz: how often the sound repeats itself a second.
        level_db: loudness beside the middle of the range.
    """

    pitch_hz: float
    tempo_hz: float
    level_db: float


@dataclass(frozen=True)
class Moment:
    """The time of a sound.

    Attributes:
        seconds: (S,) since its start.
        beat: (S,) how many beats have passed, two a repetition; starts anywhere in one.
        random: of its noise.
    """

    seconds: Samples
    beat: Samples
    random: np.random.Generator

    def band(self, low_hz: float, high_hz: float) -> Samples:
        """(S,) noise in a band of frequencies, of sd 1."""
        count = len(self.seconds)
        spectrum = np.fft.rfft(self.random.standard_normal(count))
        step_hz = 1 / (count * (self.seconds[1] - self.seconds[0]))
        bins_hz = np.arange(len(spectrum)) * step_hz
        noise = np.fft.irfft(spectrum * ((low_hz <= bins_hz) & (bins_hz < high_hz)), count)
        return noise / max(noise.std(), 1e-12)

    def decay(self, rate: float) -> Samples:
        """(S,) from 1 at each beat down to e^-rate at the next."""
        return np.exp(-rate * (self.beat % 1))


def voice_of(config: EventRendering, scene: Scene) -> Voice:
    """The voice of a scene: its pitch lies evenly over the octaves, its level over 12 dB."""
    return Voice(
        pitch_hz=_PITCH_HZ * 2 ** (config.pitch_octaves / 2 * scene.pitch),
        tempo_hz=scene.tempo_hz,
        level_db=6 * scene.level,
    )


def sound(
    config: EventRendering, voice: Voice, label: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """(S,) samples in [-1, 1], as long as the pictures: the timbre of class `label`, and hiss.

    All timbres are equally loud.
    """
    seconds = np.arange(round(config.sample_rate * config.frames / config.fps)) / config.sample_rate
    moment = Moment(seconds, random.uniform(0, 1) + 2 * voice.tempo_hz * seconds, random)
    clean = TIMBRES[label](moment, voice.pitch_hz)
    clean = clean / np.sqrt(np.square(clean).mean())
    hiss = config.hiss_sd * random.standard_normal(len(seconds))
    loud = _LOUDNESS * 10 ** (voice.level_db / 20)
    return np.clip(loud * clean + hiss, -1, 1).astype(np.float32)


def _tones(moment: Moment, pitch_hz: float, partials: Samples, fade: float) -> Samples:
    """(S,) sines at `partials` of the pitch, with amplitudes partial^-fade, in random phases."""
    phases = moment.random.uniform(0, 1, len(partials))
    cycles = partials[:, None] * pitch_hz * moment.seconds + phases[:, None]
    tones: Samples = (partials**-fade) @ np.sin(2 * np.pi * cycles)
    return tones


def _glide(moment: Moment, pitch_hz: Samples) -> Samples:
    """(S,) a sine whose pitch changes as told."""
    step = moment.seconds[1] - moment.seconds[0]
    return np.sin(2 * np.pi * np.cumsum(pitch_hz) * step)


def _bell(moment: Moment, pitch_hz: float) -> Samples:
    return moment.decay(3) * _tones(moment, 2 * pitch_hz, np.array([1, 2.76, 5.4, 8.93]), 0.5)


def _organ(moment: Moment, pitch_hz: float) -> Samples:
    return _tones(moment, pitch_hz, np.arange(1.0, 10, 2), 0.7)


def _buzz(moment: Moment, pitch_hz: float) -> Samples:
    return _tones(moment, pitch_hz / 2, np.arange(1.0, 41), 0.5)


def _drum(moment: Moment, pitch_hz: float) -> Samples:
    return moment.decay(6) * moment.band(pitch_hz / 3, 2 * pitch_hz)


def _siren(moment: Moment, pitch_hz: float) -> Samples:
    return _glide(moment, 3 * pitch_hz * 2 ** (0.7 * np.sin(np.pi * moment.beat)))


def _rattle(moment: Moment, pitch_hz: float) -> Samples:
    return moment.band(10 * pitch_hz, 24 * pitch_hz) * (np.sin(6 * np.pi * moment.beat) > 0.3)


def _wind(moment: Moment, pitch_hz: float) -> Samples:
    return moment.band(2 * pitch_hz, 7 * pitch_hz) * (1 + 0.7 * np.sin(np.pi * moment.beat))


def _flute(moment: Moment, pitch_hz: float) -> Samples:
    vibrato = 2 ** (0.03 * np.sin(2 * np.pi * 5.5 * moment.seconds))
    breath = moment.band(4 * pitch_hz, 16 * pitch_hz)
    return _glide(moment, 4 * pitch_hz * vibrato) + 0.2 * breath


def _clicks(moment: Moment, pitch_hz: float) -> Samples:
    return moment.band(pitch_hz, 30 * pitch_hz) * (2 * moment.beat % 1 < 0.08)


def _chirps(moment: Moment, pitch_hz: float) -> Samples:
    return _glide(moment, 2 * pitch_hz * 2 ** (3 * (moment.beat % 1))) * moment.decay(1)


TIMBRES: tuple[Callable[[Moment, float], Samples], ...] = (
    _bell,
    _organ,
    _buzz,
    _drum,
    _siren,
    _rattle,
    _wind,
    _flute,
    _clicks,
    _chirps,
)
"""By class: (S,) samples of any loudness."""
