"""What every sentiment baseline has: the text of its clips, and the steps of its modalities."""

from __future__ import annotations

from typing import Literal

from torch import nn

from baselines.sentiment.config import AlignedConfig, BaselineConfig
from baselines.sentiment.text import TextStates, text_states
from harness.nn.align import aligned, unaligned
from harness.types import Batch, DataInfo, Padded


class Baseline(nn.Module):
    """A model that reads text from any source, and what the engine asks of such a model.

    A subclass reads its text with ``self.text(batch)``: states (B, L, D) of `Padded`, D being
    ``self.text.width``, L at most ``self.text.steps``.
    """

    def __init__(self, config: BaselineConfig, info: DataInfo) -> None:
        super().__init__()
        self.text: TextStates = text_states(config, info)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with tokens, when the text is read as words."""
        return self.text.tokenise(batch)

    def tokenizer_json(self) -> str | None:
        """The tokenizer that the words were read with, if they were."""
        return self.text.tokenizer_json()

    def rate_scale(self, name: str) -> float:
        """`encoder_rate` for weights of a text encoder, 1 for all others."""
        return self.text.encoder_rate if name.startswith("text.encoder.") else 1.0

    def notes(self) -> tuple[str, ...]:
        """Where the weights of a text encoder are from."""
        return self.text.notes()

    def sequences(self, batch: Batch) -> tuple[Padded, Padded, Padded]:
        """Text, vision and audio (B, T, D) as the data set has them."""
        return self.text(batch), present(batch, "vision"), present(batch, "audio")


class AlignedBaseline(Baseline):
    """A model that reads step t of every modality together.

    Raises:
        BadInput: the data are not aligned, and `align` does not say how to align them.
    """

    def __init__(self, config: AlignedConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.align = config.align
        config.check_data(info)

    def sequences(self, batch: Batch) -> tuple[Padded, Padded, Padded]:
        """Text, vision and audio (B, T, D), step by step."""
        text, vision, audio = super().sequences(batch)
        if self.align is None:
            unaligned(text, vision=vision, audio=audio)
            return text, vision, audio
        return text, aligned(vision, text, self.align), aligned(audio, text, self.align)


def present(batch: Batch, view: Literal["vision", "audio"]) -> Padded:
    """The features of a view.

    Raises:
        ValueError: the batch has none.
    """
    found: Padded | None = getattr(batch, view)
    if found is None:
        raise ValueError(f"the batch has no {view} features")
    return found
