"""What using trained models costs: how it is measured, and what was found."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.spec.base import Frozen
from harness.spec.result import Environment
from harness.spec.trial import Role
from harness.spec.variant import VariantRef, View

StageName = Literal[
    "read",
    "decode",
    "sample",
    "audio",
    "visual_features",
    "acoustic_features",
    "speech_recognition",
    "tokenise",
    "copy",
    "forward",
    "post",
]
"""The parts of an end-to-end call, in order: from the disk to memory; demultiplexing and decoding;
taking frames and resizing them; mixing and resampling sound; the features of either; a transcript where
none is given; its tokens; to the device; the forward pass; to numbers on the CPU."""

Route = Literal["end_to_end", "model_only"]
"""From clip file and transcript on disk to the score, or from tensors that are ready to the outputs."""

Weights = Literal["trained", "random"]


class BenchSettings(Frozen):
    """The section `bench` of a study: what is timed, on which clips, how often.

    A round is one clip (or one batch of them) for everybody, in an order drawn anew. In a round each
    model is called for ``seconds / calls`` at least, and once at least; it has this time in one turn, or
    in several between those of others.
    """

    weights: Weights = Field(
        "trained", description="trained: of the store, with their quality; random: as initialised"
    )
    seed: int | None = Field(None, ge=0, description="of the trials; null = the study's first")
    arms: tuple[str, ...] = Field((), description="arms that are measured; empty = all")
    teachers: bool = Field(True, description="the teachers of these arms are measured too")
    reference: str | None = Field(
        None,
        description="arm that ratios are to; null = the study's reference, or else its first student",
    )
    backends: dict[str, tuple[VariantRef, ...]] = Field(
        {}, description="arm to the back ends that it is measured on beside eager"
    )
    routes: tuple[Route, ...] = Field(
        ("end_to_end", "model_only"), min_length=1, description="what is timed"
    )
    clips: int = Field(16, ge=1, description="test clips, evenly over their lengths")
    batches: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 8), min_length=1, description="clips a call"
    )
    calls: int = Field(20, ge=1, description="rounds a process at batch 1, each a call at least")
    batch_calls: int | None = Field(
        None, ge=1, description="rounds a process at larger batches; null = as many as calls"
    )
    seconds: float = Field(
        2.0, gt=0, description="least time a model is called in a process, all rounds"
    )
    turns: int = Field(
        1,
        ge=1,
        description="turns that the time of a model in a round is spread over; several where rounds are "
        "few and long, as the machine drifts meanwhile",
    )
    warmup_seconds: float = Field(
        5.0, gt=0, description="an unsteady warm-up ends with the call that passes this"
    )
    processes: int = Field(
        5,
        ge=1,
        description="fresh processes that repeat everything; of fewer than 5 intervals are too narrow",
    )
    threads: int | None = Field(None, ge=1, description="threads of the forward pass; null = all cores")
    asr: str | None = Field(
        None,
        description="speech recognition that makes transcripts: whisper-tiny, -base, -small, -medium "
        "(random weights) or a local folder; null = transcripts are given",
    )
    busy_share: float = Field(
        0.15, gt=0, le=1, description="share of the cores that others may use before rows are marked"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if max(self.batches) > self.clips:
            raise ValueError(
                f"batches: a call of {max(self.batches)} clips needs as many; given clips {self.clips}"
            )
        for name, given in (("batches", self.batches), ("routes", self.routes), ("arms", self.arms)):
            if len(set(given)) < len(given):
                raise ValueError(f"{name}: expected each once, given {list(given)}")
        return self

    def rounds(self, batch: int) -> int:
        """How many rounds a process makes with so many clips a call."""
        return self.calls if batch == 1 or self.batch_calls is None else self.batch_calls


class MachineState(Frozen):
    """What one measuring process found of its machine; everything is read back, not as asked for."""

    intra_threads: int
    inter_threads: int
    affinity: tuple[int, ...] = ()
    """Cores that the process may run on; empty where the system does not say."""

    governor: str | None = None
    """Of the cores' clock; None where it cannot be read."""

    clock_mhz: float | None = None
    others_share: float
    """Share of all cores that other processes used just before; 0 to 1."""

    others_share_meanwhile: float | None = None
    """The same while rows were timed; None where that was too short to tell, or nobody counts."""

    load_average: float | None = None
    timer_overhead_us: float
    """What timing costs: the median of a call that does nothing, in microseconds."""

    decoder: str = ""
    """Library that opens clips, with its version and threads."""

    @property
    def largest_others_share(self) -> float:
        """Of just before and meanwhile."""
        return max(self.others_share, self.others_share_meanwhile or 0.0)


class ColdStart(Frozen):
    """Seconds of the first use of a row in a fresh process, one part after the other."""

    imports: float
    load: float
    """Building the model, its weights and its extractors; what a back end prepares is in it."""

    first_call: float
    """The first call on one clip, file cache dropped where we may; end to end if that is timed."""

    second_call: float
    """The same clip again, from the file cache."""

    cache_was_dropped: bool


class Memory(Frozen):
    """Bytes of the process that measures one row alone."""

    baseline_rss: int
    """With the libraries imported and nothing built."""

    peak_rss: int
    accelerator_allocated: int | None = None
    accelerator_reserved: int | None = None


class Deviation(Frozen):
    """How far a back end is from eager on clips of the test split."""

    clips: int
    largest: float
    """Of the absolute differences of the first output, over clips."""

    metric: str
    eager: float
    found: float

    @property
    def change(self) -> float:
        """Of the metric; against labels where the weights were trained, or else worth nothing."""
        return self.found - self.eager


class BenchClip(Frozen):
    """A clip that is measured on."""

    id: str
    seconds: float | None = None
    words: int | None = None


class BenchRow(Frozen):
    """One arm on one back end: what it is, and what of it is no time."""

    name: str
    """``arm`` on eager, ``arm · backend`` otherwise; unique in a record."""

    arm: str
    backend: VariantRef
    role: Role
    model: str
    trial_id: str
    weights: Weights
    views: tuple[View, ...]
    parameters: int
    """Distinct parameters of the model, whatever reads them."""

    needed_parameters: int
    """Those that its outputs depend on; of the model alone."""

    components: dict[str, int] = {}
    """`parameters` by the model's own parts."""

    extractor_parameters: int = 0
    """Of networks that make its features; charged end to end."""

    flops: int | None = None
    """Of a forward pass over the first clip, two a multiply-add."""

    end_to_end_flops: int | None = None
    """With what extractors and speech recognition compute in torch."""

    file_bytes: int | None = None
    """The model's weights as a file."""

    quality: dict[str, float] = {}
    """``test/<metric>`` of the record of the same checkpoint; empty for random weights."""

    deviation: Deviation | None = None
    """None for eager."""

    cold: ColdStart | None = None
    memory: Memory | None = None
    joules: float | None = None
    """Of one end-to-end clip at batch 1 (or model-only, if that is all); None where unreadable."""

    refused: str = ""
    """Why it was not timed; empty if it was."""

    notes: tuple[str, ...] = ()


class BenchRecord(Frozen):
    """Everything that was measured, but the samples: these are a table beside it, `SAMPLE_COLUMNS`."""

    study: str
    title: str = ""
    settings: BenchSettings
    reference: str
    """Name of the row that ratios are to."""

    rows: tuple[BenchRow, ...]
    clips: tuple[BenchClip, ...]
    machines: tuple[MachineState, ...]
    """One a process that timed all rows side by side."""

    data: VariantRef
    """With the parameters that differ from their defaults."""

    data_fingerprint: str
    primary: str
    """The metric of `BenchRow.quality` that stands for it in figures, such as ``test/mae``."""

    notes: tuple[str, ...] = ()
    """What has to be known of how clips are read: decoder, extractors and their weights."""

    environment: Environment
    seconds: float
    """How long all of it took, since it was last interrupted."""

    gone_on_from: int = 0
    """Of its processes, those that had answered before it was interrupted."""


SAMPLE_COLUMNS = ("process", "round", "row", "route", "batch", "group", "calls", "total_ms")
"""First columns of the samples: one row a sample. `group` numbers the clip, or the batch of clips, that
was called on; `calls` is how many calls the sample is the mean of. One column more for each of
`StageName`, in ms, empty for model-only samples and for stages that a row has not."""
