"""Speech recognition ahead of a model that reads transcripts, where it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contracts import ClipReading, ReadsClips
from harness.registry import DATASETS
from harness.spec import BadInput, TrialSpec

if TYPE_CHECKING:
    from harness.nn.speech.whisper import Recogniser


@dataclass(frozen=True)
class Hearing:
    """How the sound of clips is read, and who listens.

    Attributes:
        tokens: of each clip that is timed, how many a random network says.
    """

    reading: ClipReading
    recogniser: Recogniser
    tokens: tuple[int, ...]

    def listen(self, sounds: Sequence[Any], places: Sequence[int]) -> None:
        """Makes transcripts of sounds, for what it costs.

        The model goes on with the transcripts that are given: what a network with random weights says
        has no meaning, and another length would change what the rest costs.
        """
        self.recogniser.transcribe(sounds, [self.tokens[place] for place in places])


def check_hearing(name: str, spec: TrialSpec) -> ReadsClips:
    """The reader whose recordings are listened to.

    Raises:
        BadInput: the trial's data have none, or there is no speech recognition of that name.
    """
    from harness.nn.speech.whisper import check_recogniser

    try:
        check_recogniser(name)
    except BadInput as fault:
        raise fault.at(key="bench") from fault
    reader = DATASETS.build(spec.data)
    if not isinstance(reader, ReadsClips):
        raise BadInput(
            f"speech cannot be recognised: data set '{spec.data.name}' has no recordings",
            key="bench.asr",
        )
    return reader


def hearing(name: str, spec: TrialSpec, transcripts: Sequence[str]) -> Hearing:
    """Speech recognition by that name, of the recordings of the trial's data.

    Raises:
        BadInput: there is none of that name, or the data have no recordings.
    """
    reader = check_hearing(name, spec)
    from harness.nn.speech.whisper import recogniser, transcript_tokens

    found = recogniser(name)
    tokens = tuple(transcript_tokens(text) for text in transcripts)
    return Hearing(reader.hearing(found.rate), found, tokens)
