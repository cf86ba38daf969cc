"""MFM: a code a modality and one of all; the score comes from the last, the modalities from both."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import linear

from baselines.sentiment.mfn import MEMORY_SPACE, TINY_MEMORY, MemoryBaseline, MFNConfig
from harness.nn.memory import Inner, LSTMStates, at_end, two_layers
from harness.nn.recurrence import lstm
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs, Padded


class MFMConfig(MFNConfig):
    """Widths of codes and factors, beside those of the MFN that reads all modalities."""

    text_width: int = Field(128, ge=1, description="width of the MFN's text LSTM")
    vision_width: int = Field(128, ge=1, description="width of the MFN's vision LSTM")
    memory: int = Field(64, ge=1, description="width of the memory")
    attention_dropout: float = Field(0.7, ge=0, lt=1, description="dropout of the attention")
    retain_width: int = Field(32, ge=1, description="hidden layer of the retain gate")
    retain_dropout: float = Field(0.0, ge=0, lt=1, description="dropout of the retain gate")
    update_width: int = Field(64, ge=1, description="hidden layer of the update gate")
    head_width: int = Field(128, ge=1, description="hidden layer of the idle head")
    head_dropout: float = Field(0.2, ge=0, lt=1, description="dropout of the idle head")
    joint_code: int = Field(80, ge=1, description="width of the code of all modalities")
    text_code: int = Field(64, ge=1, description="width of the text's own code")
    vision_code: int = Field(80, ge=1, description="width of the vision's own code")
    audio_code: int = Field(80, ge=1, description="width of the audio's own code")
    joint_factor: int = Field(64, ge=1, description="width of the factor that the score is read from")
    text_factor: int = Field(32, ge=1, description="width of the text's own factor")
    vision_factor: int = Field(64, ge=1, description="width of the vision's own factor")
    audio_factor: int = Field(16, ge=1, description="width of the audio's own factor")
    joint_dropout: float = Field(0.5, ge=0, lt=1, description="dropout between joint code and factor")
    text_dropout: float = Field(0.5, ge=0, lt=1, description="dropout between text code and factor")
    vision_dropout: float = Field(0.5, ge=0, lt=1, description="dropout between vision code and factor")
    audio_dropout: float = Field(0.7, ge=0, lt=1, description="dropout between audio code and factor")
    score_dropout: float = Field(0.0, ge=0, lt=1, description="dropout between joint factor and score")
    idle_head: Literal["paper", "peer"] = Field(
        "paper", description="the MFN's own head: paper = left out, peer = there, and read by nothing"
    )

    def parts(self) -> frozenset[str]:
        """Codes, and generated beside true sequences."""
        views = ("text", "vision", "audio")
        codes = {f"{of}_code" for of in (*views, "joint")}
        return frozenset(
            codes | {f"{of}_{what}" for of in views for what in ("states", "target_states")}
        )


class CodeLSTM(nn.Module):
    """A sequence to a code (B, T, D) to (B, width): a linear layer on the last state of an LSTM."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.lstm = LSTMStates(width_in, width)
        self.code = nn.Linear(width, width)

    def forward(self, sequence: Padded) -> Tensor:
        """The code of each clip."""
        hidden, _ = self.lstm(sequence.values)
        return self.code(at_end(hidden, sequence.mask))


class GeneratingLSTM(nn.Module):
    """A factor to a sequence: (B, H) to (B, T, D), by an LSTM that reads its own last state.

    Its first input is the factor. State and input being the same from then on, one product with the
    sum of both weights makes a step.
    """

    def __init__(self, width: int, width_out: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(width, width)
        self.features = nn.Linear(width, width_out)

    def forward(self, factor: Tensor, steps: int) -> Tensor:
        """The generated features of each step."""
        cell = self.cell
        bias = cell.bias_ih + cell.bias_hh
        first = linear(factor, cell.weight_ih, bias).unsqueeze(1)
        gates = torch.cat((first, bias.expand(len(factor), steps - 1, -1)), dim=1)
        hidden, _ = lstm(gates, cell.weight_ih + cell.weight_hh)
        return self.features(hidden)


@BASELINES.register(
    "mfm",
    config=MFMConfig,
    paper="Tsai et al. 2019, Learning Factorized Multimodal Representations, arXiv 1806.06176, "
    "section 2, with an MFN (arXiv 1802.00927) as the encoder of all modalities",
    tiny={
        **TINY_MEMORY,
        "attention_width": 4,
        "head_width": 4,
        **{f"{of}_code": 3 for of in ("joint", "text", "vision", "audio")},
        **{f"{of}_factor": 4 for of in ("joint", "text", "vision", "audio")},
    },
    space={
        **MEMORY_SPACE,
        "attention_width": IntSpace(low=32, high=256, log=True),
        "attention_dropout": FloatSpace(low=0, high=0.7),
        "joint_code": IntSpace(low=16, high=128, log=True),
        "text_code": IntSpace(low=16, high=256, log=True),
        "vision_code": IntSpace(low=16, high=128, log=True),
        "audio_code": IntSpace(low=16, high=128, log=True),
        "joint_factor": IntSpace(low=16, high=128, log=True),
        "joint_dropout": FloatSpace(low=0, high=0.7),
        "score_dropout": FloatSpace(low=0, high=0.7),
    },
)
class MFM(MemoryBaseline):
    """The score of the joint factor; while it is trained, also every modality again from its factors.

    Codes are deterministic, as in a Wasserstein auto-encoder: the losses `mmd_prior` and
    `sequence_reconstruction` make the model that the paper describes of them. Codes of single
    modalities are for generating alone, so that they cost nothing at inference. Of training clips
    with something missing, what is generated are the whole ones.
    """

    def __init__(self, config: MFMConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.fusion = config.fusion(self.widths_in)
        joint = config.joint_factor
        self.joint = nn.Linear(self.fusion.width, config.joint_code)
        self.joint_factor = _factor(config, "joint")
        self.score = two_layers(joint, Inner(joint, config.score_dropout), 1)
        self.idle: nn.Module | None = None
        if config.idle_head == "peer":
            self.idle = two_layers(self.fusion.width, Inner(config.head_width, config.head_dropout), 1)
        widths = self.widths_in.items()
        self.codes = nn.ModuleDict(
            {view: CodeLSTM(width, getattr(config, f"{view}_code")) for view, width in widths}
        )
        self.factors = nn.ModuleDict({view: _factor(config, view) for view in self.widths_in})
        self.generators = nn.ModuleDict(
            {
                view: GeneratingLSTM(joint + getattr(config, f"{view}_factor"), width)
                for view, width in widths
            }
        )

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), the joint factor (B, D), and parts for the losses while it is trained."""
        sequences = self.named(batch)
        fused = self.fusion(sequences)
        code = self.joint(fused)
        factor = self.joint_factor(code).relu()
        score = self.score(factor).squeeze(1)
        if not self.training:
            return Outputs(score, embedding=factor)
        if self.idle is not None:
            # What nothing reads has no gradient at all, and a model's weights have one each.
            score = score + 0 * self.idle(fused).squeeze(1)
        parts = {"joint_code": code, **self._generated(batch, sequences, factor)}
        return Outputs(score, embedding=factor, parts=parts)

    def _generated(self, batch: Batch, sequences: dict[str, Padded], joint: Tensor) -> dict[str, Tensor]:
        """Codes of the modalities, and their sequences as generated and as they were."""
        parts: dict[str, Tensor] = {}
        for view, target in self._targets(batch, sequences).items():
            code = self.codes[view](sequences[view])
            both = torch.cat((joint, self.factors[view](code).relu()), dim=1)
            parts[f"{view}_code"] = code
            parts[f"{view}_states"] = self.generators[view](both, target.shape[1])
            parts[f"{view}_target_states"] = target
        return parts

    def _targets(self, batch: Batch, sequences: dict[str, Padded]) -> dict[str, Tensor]:
        """(B, T, D) what is to be generated; not a number where a clip has no such step."""
        if batch.intact is not None:
            with torch.no_grad():
                sequences = self.named(batch.intact)
        return {
            view: sequence.values.detach().masked_fill(~sequence.mask.unsqueeze(2), torch.nan)
            for view, sequence in sequences.items()
        }


def _factor(config: MFMConfig, of: str) -> nn.Sequential:
    code, width, dropout = (getattr(config, f"{of}_{what}") for what in ("code", "factor", "dropout"))
    return two_layers(code, Inner(width, dropout), width)
