"""MAG: vision and audio shift the words inside a pretrained text encoder."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn.functional import linear

from baselines.sentiment.base import AlignedBaseline, present
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, AlignedConfig
from baselines.sentiment.text import EncodedTokens
from harness.nn.align import Align, aligned, unaligned
from harness.registry import BASELINES
from harness.spec import BadInput, FloatSpace
from harness.types import Batch, DataInfo, Outputs, Padded

# Those whose states after the embeddings and after every layer are of one width, in modules that
# give nothing else.
_ARCHITECTURES = ("bert", "roberta", "xlm-roberta", "camembert")


class MAGConfig(AlignedConfig):
    """The encoder's fields, where the gate is in it, and how far it may shift a word."""

    text_source: Literal["encoder", "token_ids"] = Field(
        "encoder", description="the transcript, or the data set's token ids; both through the encoder"
    )
    align: Align | None = Field(
        "pool",
        description="features at the encoder's tokens: pool = averaged over neighbouring steps, peer = "
        "averaged as MMSA does (padding counts), null = they are there already (token_ids)",
    )
    encoder_rate: float = Field(
        1.0, gt=0, le=1, description="multiple of the learning rate for the text encoder"
    )
    layer: int = Field(0, ge=0, description="the gate follows this layer; 0 = the embeddings")
    shift: float = Field(1.0, gt=0, description="beta: longest shift, in lengths of the word's vector")
    dropout: float = Field(0.3, ge=0, lt=1, description="on the shifted words")
    head_dropout: float = Field(0.1, ge=0, lt=1, description="on the vector that the score is read from")
    bias: Literal["paper", "peer"] = Field(
        "paper", description="of the shift: paper = one, added at last; peer = two, inside the gates"
    )

    def check(self) -> None:
        """Whether a fresh encoder has a place for the gate; a pretrained one is asked when it is read.

        Raises:
            BadInput: it has none.
        """
        if self.pretrained is None:
            _check_place(self, self.architecture, self.encoder_layers)


@BASELINES.register(
    "mag",
    config=MAGConfig,
    paper="Rahman et al. 2020, MAG-BERT, arXiv 1908.05787, section 4",
    tiny={**TINY_TEXT, "shift": 1.0},
    space={
        "encoder_rate": TEXT_SPACE["encoder_rate"],
        "shift": FloatSpace(low=0.1, high=10, log=True),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class MAG(AlignedBaseline):
    """A BERT or RoBERTa whose states are shifted by the other modalities, once, at every token.

    The score is read from the first token's last state, through a pooling layer that starts anew.
    """

    text: EncodedTokens

    def __init__(self, config: MAGConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        hub = self.text.encoder.config
        _check_place(config, hub.model_type, hub.num_hidden_layers)
        self.layer, width = config.layer, self.text.width
        self.gate = AdaptationGate(width, info.width("vision"), info.width("audio"), config)
        self.pooler = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.head_dropout)
        self.head = nn.Linear(width, 1)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the pooled state of the first token (B, D)."""
        tokens = self.text.ids(batch)
        vision, audio = (self._beside(present(batch, view), tokens) for view in ("vision", "audio"))
        pooled = self.pooler(self._states(tokens, vision, audio)[:, 0]).tanh()
        return Outputs(self.head(self.dropout(pooled)).squeeze(1), embedding=pooled)

    def _beside(self, sequence: Padded, tokens: Padded) -> Tensor:
        """(B, L, D) the sequence at the tokens."""
        if self.align is not None:
            return aligned(sequence, tokens, self.align).values
        unaligned(tokens, features=sequence)
        return sequence.values

    def _states(self, tokens: Padded, vision: Tensor, audio: Tensor) -> Tensor:
        """(B, L, D) last states of the encoder, shifted on the way.

        The encoder calls the gate itself, as a hook: what it makes of its mask and of positions stays
        its own affair, and differs between architectures.
        """
        encoder = self.text.encoder

        def shifted(_module: nn.Module, _given: tuple[Tensor, ...], states: Tensor) -> Tensor:
            return self.gate(states, vision, audio)

        place = encoder.encoder.layer[self.layer - 1] if self.layer else encoder.embeddings
        hook = place.register_forward_hook(shifted)
        try:
            found = encoder(input_ids=tokens.values, attention_mask=tokens.mask.long())
        finally:
            hook.remove()
        return found.last_hidden_state


class AdaptationGate(nn.Module):
    """The shift of states Z by H = g_v · W_v V + g_a · W_a A + b, then layer normalisation and dropout.

    A gate g_m is a rectified linear function of [m; Z]. H is shortened to at most `shift` times the
    length of Z.
    """

    def __init__(self, width: int, vision_width: int, audio_width: int, config: MAGConfig) -> None:
        super().__init__()
        inside = config.bias == "peer"
        self.vision_gate = nn.Linear(vision_width + width, width)
        self.audio_gate = nn.Linear(audio_width + width, width)
        self.vision = nn.Linear(vision_width, width, bias=inside)
        self.audio = nn.Linear(audio_width, width, bias=inside)
        self.bias = None if inside else nn.Parameter(torch.zeros(width))
        self.shift = config.shift
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states: Tensor, vision: Tensor, audio: Tensor) -> Tensor:
        """(B, L, D) of states (B, L, D), vision (B, L, D') and audio (B, L, D'')."""
        shift = _gated(self.vision_gate, states, vision) * self.vision(vision)
        shift = shift + _gated(self.audio_gate, states, audio) * self.audio(audio)
        if self.bias is not None:
            shift = shift + self.bias
        lengths = [vector_norm(vectors, dim=2, keepdim=True) for vectors in (states, shift)]
        # A shift of nothing has no length to divide by, and is no longer for it.
        kept = (self.shift * lengths[0] / (lengths[1] + 1e-6)).clamp(max=1)
        return self.dropout(self.norm(states + kept * shift))


def _gated(gate: nn.Linear, states: Tensor, beside: Tensor) -> Tensor:
    """The gate of [beside; states], without putting them together: features need no gradient."""
    of_beside, of_states = gate.weight.split((beside.shape[2], states.shape[2]), dim=1)
    return torch.relu(linear(beside, of_beside, gate.bias) + linear(states, of_states))


def _check_place(config: MAGConfig, architecture: str, layers: int) -> None:
    if architecture not in _ARCHITECTURES:
        raise BadInput(
            f"the gate has a place in {', '.join(_ARCHITECTURES)}, and none in '{architecture}'",
            key="architecture" if config.pretrained is None else "pretrained",
        )
    if config.layer > layers:
        raise BadInput(f"the encoder has {layers} layers, given {config.layer}", key="layer")
