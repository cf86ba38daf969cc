"""Training clips that something is missing from."""

from __future__ import annotations

from torch import nn

from harness.contracts import Tokenises
from harness.engine.seeds import generator
from harness.robustness.conditions import with_missing
from harness.robustness.draws import FromStream
from harness.spec import TrialSpec
from harness.types import Batch


def taken(spec: TrialSpec, model: nn.Module, clips: Batch, purpose: str) -> Batch:
    """Training clips, as the model sees them, without what the spec says is missing from them."""
    if spec.missing is None:
        return clips
    draws = FromStream(generator(spec.seed, purpose))
    found = with_missing(spec.missing, clips, draws)
    said = found.transcripts != clips.transcripts
    return model.tokenise(found) if said and isinstance(model, Tokenises) else found
