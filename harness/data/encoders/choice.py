"""The encoders by name."""

from __future__ import annotations

from typing import Literal

from harness.data.encoders.contract import PictureEncoder, SoundEncoder
from harness.data.encoders.efficientnet_lite0 import EfficientNetLite0
from harness.data.encoders.log_mel import LogMel
from harness.data.encoders.openwakeword import OpenWakeWord
from harness.data.encoders.picture_statistics import PictureStatistics

SoundEncoderName = Literal["log_mel", "openwakeword"]
PictureEncoderName = Literal["statistics", "efficientnet_lite0"]


def sound_encoder(name: SoundEncoderName) -> SoundEncoder:
    """The encoder of that name; no package is looked for yet."""
    return LogMel() if name == "log_mel" else OpenWakeWord()


def picture_encoder(name: PictureEncoderName) -> PictureEncoder:
    """The encoder of that name; no package is looked for yet."""
    return PictureStatistics() if name == "statistics" else EfficientNetLite0()
