"""What a reader must know before the numbers: what was timed, on which clips, and what is loud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from harness.spec import BenchRecord, VariantRef
from reports.bench.found import Bench
from reports.bench.tables import place_words
from reports.bench.words import three_digits


def warnings(bench: Bench) -> Iterator[str]:
    """What makes numbers worth less; each is loud, and first."""
    record = bench.record
    random = [row.name for row in record.rows if row.weights == "random"]
    if random:
        whose = "all rows" if len(random) == len(record.rows) else ", ".join(random)
        yield f"RANDOM WEIGHTS ({whose}): only cost means anything, there is no quality."
    if bench.is_busy:
        limit = record.settings.busy_share
        shares = [machine.largest_others_share for machine in record.machines]
        busy = sum(share > limit for share in shares)
        yield (
            f"BUSY MACHINE: just before {busy} of {len(shares)} processes, or while they measured, "
            f"others used up to {100 * max(shares):.0f}% of the cores, and {100 * limit:g}% are "
            "allowed; every time below may be too long."
        )
    asked = record.settings.threads
    given = {machine.intra_threads for machine in record.machines}
    if asked is not None and given - {asked}:
        yield f"{asked} threads were asked for, and {', '.join(map(str, sorted(given)))} read back."


def refused(bench: Bench) -> Iterator[str]:
    """Every row that has no time where it was asked for one, and why; none is dropped in silence."""
    for row in bench.record.rows:
        places = bench.untimed(row)
        if places or row.refused:
            some = "" if len(places) == len(bench.places) else "; ".join(map(place_words, places))
            where = f" ({some})" if some else ""
            yield f"Not timed: {row.name}{where}: {row.refused or 'no sample was taken'}"


def caption(record: BenchRecord) -> Iterator[str]:
    """What the two numbers are, of which clips, and whose transcripts."""
    yield (
        "END TO END and MODEL ONLY are two numbers, and neither stands for the other: from clip file "
        "and transcript on the disk to the score, and from tensors that are ready to the outputs."
    )
    yield _speech(record)
    yield (
        f"Clips: {len(record.clips)} of the test split; {_lengths(record)}. Every row has the same "
        f"clips in the same order, of the data {_variant(record.data)}, fingerprint "
        f"{record.data_fingerprint}; frames are taken as these parameters say, for all alike."
    )
    yield (
        "Sequences have their own length, padded to the longest of their batch, for all rows alike; "
        "nothing is padded to a fixed length."
    )


def _speech(record: BenchRecord) -> str:
    if record.settings.asr is None:
        return "Speech recognition is not counted: transcripts are given."
    return (
        f"Speech recognition is counted, end to end: {record.settings.asr} makes the transcript of "
        "every row that reads one."
    )


def _lengths(record: BenchRecord) -> str:
    seconds = [clip.seconds for clip in record.clips if clip.seconds is not None]
    words = [float(clip.words) for clip in record.clips if clip.words is not None]
    return f"{_length(record, seconds, 'seconds')}, {_length(record, words, 'words')}"


def _length(record: BenchRecord, values: Sequence[float], unit: str) -> str:
    """``1 / 2 / 3 seconds (min / median / max)``, and of how many where not all are known."""
    if not values:
        return f"{unit} unknown"
    few = f", of {len(values)} clips" if len(values) < len(record.clips) else ""
    three = " / ".join(map(_plainly, (min(values), median(values), max(values))))
    return f"{three} {unit} (min / median / max{few})"


def _plainly(number: float) -> str:
    return f"{number:g}" if float(number).is_integer() else three_digits(number)


def _variant(ref: VariantRef) -> str:
    """``rendered (frames 8)``."""
    params = ", ".join(f"{name} {value}" for name, value in ref.params.items())
    return f"{ref.name} ({params})" if params else ref.name
