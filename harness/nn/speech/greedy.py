"""The likeliest token, again and again: how Whisper writes down what it heard.

Not by the generation of transformers: it takes some tokens for times and listens again from there, so
that a network of random weights would write any number of them, or never end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prompt:
    """What stands before a text, and what may not be in it.

    Attributes:
        start: tokens before the text, as far as they are known ahead.
        languages: of which the likeliest one follows `start`; empty where the language is in it.
        rest: tokens after the language.
        ends: tokens that end the text.
        never: tokens that are not written.
        never_first: those that are not written at the beginning.
        room: tokens of everything together.
    """

    start: tuple[int, ...]
    ends: tuple[int, ...]
    room: int
    languages: tuple[int, ...] = ()
    rest: tuple[int, ...] = ()
    never: tuple[int, ...] = ()
    never_first: tuple[int, ...] = ()


def prompt_of(whisper: Any) -> Prompt:
    """The prompt of a checkpoint: the text in its own language, without times."""
    told, config = whisper.generation_config, whisper.config
    languages: dict[str, int] = getattr(told, "lang_to_id", None) or {}
    tasks: dict[str, int] = getattr(told, "task_to_id", None) or {}
    untimed: int | None = getattr(told, "no_timestamps_token_id", None)
    rest = [tasks["transcribe"]] if languages and "transcribe" in tasks else []
    ends = told.eos_token_id if told.eos_token_id is not None else config.eos_token_id
    return Prompt(
        start=(config.decoder_start_token_id,),
        ends=tuple(ends) if isinstance(ends, list) else (ends,),
        room=config.max_target_positions,
        languages=tuple(languages.values()),
        rest=(*rest, *([] if untimed is None else [untimed])),
        never=tuple(told.suppress_tokens or ()),
        never_first=tuple(told.begin_suppress_tokens or ()),
    )


def write(whisper: Any, heard: Tensor, prompt: Prompt, count: int | None = None) -> list[int]:
    """The tokens of one sound, without those before them.

    Args:
        whisper: with `model.decoder` and `proj_out`.
        heard: (1, T, d) states of the encoder.
        prompt: what stands before.
        count: exactly so many tokens, as far as there is room; None = until one that ends, which is
            among them.
    """
    pen = _Pen(whisper, heard)
    given = list(prompt.start)
    if prompt.languages:
        given = [_best(pen.logits(given), prompt.languages)]
    logits = pen.logits([*given, *prompt.rest])
    most = prompt.room - len(prompt.start) - bool(prompt.languages) - len(prompt.rest)
    count, stops = (most, prompt.ends) if count is None else (min(count, most), ())
    barred = prompt.never if stops else (*prompt.never, *prompt.ends)
    written: list[int] = []
    while len(written) < count:
        if written:
            logits = pen.logits(written[-1:])
        logits[[*barred, *(() if written else prompt.never_first)]] = -torch.inf
        written.append(int(logits.argmax()))
        if written[-1] in stops:
            break
    return written


class _Pen:
    """A decoder that remembers what it was given."""

    def __init__(self, whisper: Any, heard: Tensor) -> None:
        self._whisper, self._heard, self._past = whisper, heard, None

    def logits(self, tokens: list[int]) -> Tensor:
        """(V,) of the token after these, which follow those that were given before."""
        found = self._whisper.model.decoder(
            input_ids=torch.tensor([tokens], device=self._heard.device),
            encoder_hidden_states=self._heard,
            past_key_values=self._past,
            use_cache=True,
        )
        self._past = found.past_key_values
        logits: Tensor = self._whisper.proj_out(found.last_hidden_state[0, -1])
        return logits


def _best(logits: Tensor, among: tuple[int, ...]) -> int:
    return among[int(logits[list(among)].argmax())]
