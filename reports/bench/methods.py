"""How the numbers of a bench were made: machine, amounts, statistics, counting."""

from __future__ import annotations

from collections.abc import Iterator

from harness.spec import BenchRecord, MachineState
from reports.bench.found import Bench
from reports.bench.ratios import CONFIDENCE, DRAWS
from reports.bench.tables import place_words
from reports.bench.times import ENOUGH
from reports.bench.words import distinct, three_digits
from reports.grouping import grouped


def methods(bench: Bench) -> Iterator[str]:
    """A sentence or two on each, in the order in which a doubter asks."""
    record = bench.record
    yield from _amounts(record)
    yield from _statistics(bench)
    yield from _machine(bench)
    yield (
        "First calls: the file cache was asked to forget the first clip where the cold-start table says "
        "'dropped'; every time above it is of repeated passes, which read from the file cache."
    )
    yield (
        "FLOPs are those of torch's FlopCounterMode, two a multiply-add, of the first clip; parameters: "
        "distinct ones, whatever reads them; needed: those that the model's outputs depend on; "
        "extractors: of networks that make its features, charged end to end only."
    )
    yield from record.notes
    notes = grouped((row.name, note) for row in record.rows for note in row.notes)
    yield from (f"{note} ({', '.join(rows)})" for note, rows in notes.items())
    yield _origin(record)


def _amounts(record: BenchRecord) -> Iterator[str]:
    asked = record.settings
    rounds = ", ".join(f"{asked.rounds(batch)} at {batch} a call" for batch in sorted(asked.batches))
    spread = "" if asked.turns == 1 else f", in up to {asked.turns} turns a round"
    yield (
        f"{len(record.machines)} fresh processes, after one for each row alone. Rounds a process: "
        f"{rounds}. In a round every row has the same clip or batch of clips, in an order drawn anew; "
        f"it is called once at least, and for {asked.seconds:g} s at least over a process's rounds"
        f"{spread}. "
        f"Warm-up until steady; one that does not become so ends after {asked.warmup_seconds:g} s. "
        f"The whole took {record.seconds:,.0f} s."
    )
    if record.gone_on_from:
        yield (
            f"It was interrupted: {record.gone_on_from} of its processes, those for single rows among "
            "them, had answered before, and the time is of the rest. A ratio is of times within "
            "processes, so no time is compared with one from before the interruption."
        )
    differing = [n for n in sorted(asked.batches) if asked.rounds(n) < len(record.clips) // n]
    if len(record.machines) > 1 and differing:
        yield (
            "A process begins with the clips that the one before would have had next. Rounds are fewer "
            f"than there are at {', '.join(map(str, differing))} a call, so that medians of processes "
            "are of different clips there, and differ by their lengths too."
        )
    yield (
        "A sample is the mean over its calls (column samples (calls)) and weighs as one; where it has "
        "several, percentiles are of such means."
    )


def _statistics(bench: Bench) -> Iterator[str]:
    yield (
        "Percentiles by numpy, method 'linear'; p99 needs "
        f"{ENOUGH} samples. sd is the sample's, over processes, clips and rounds together."
    )
    yield (
        "Ratio: median of a row over median of the reference, over units: a clip (or batch of clips) "
        "in a process, whose value is the median of its samples. Interval: bootstrap, by percentiles, "
        f"{100 * CONFIDENCE:g}%, {DRAWS:,} draws, paired: processes and clips are resampled crossed, "
        "with the same draw for both rows. Of few processes or batches it is rather too narrow: where "
        "nothing but processes differs, by simulation, those of 3 hold the true ratio 84 times in 100, "
        "those of 5 94 times."
    )
    for place, found in bench.found.items():
        left = {name: one.ratio.left_out for name, one in found.items() if one.ratio}
        words = ", ".join(f"{count} of {name}" for name, count in left.items() if count)
        where = place_words(place).capitalize()
        if words:
            yield f"{where}: units that only one of a row and the reference has are left out: {words}."
        if any(one.ratio and not one.ratio.has_interval for one in found.values()):
            yield f"{where}: one process with one clip or batch has no interval."
        if found and bench.record.reference not in found:
            yield f"{where}: {bench.record.reference} was not timed, so there are no ratios."


def _machine(bench: Bench) -> Iterator[str]:
    machines, asked = bench.record.machines, bench.record.settings.threads
    if machines:
        yield (
            f"Threads asked for: {asked or 'all cores'}; read back: "
            f"{distinct(one.intra_threads for one in machines)} intra-op, "
            f"{distinct(one.inter_threads for one in machines)} inter-op; cores allowed: "
            f"{distinct(map(_cores, machines))}; governor: "
            f"{distinct(one.governor or 'not readable' for one in machines)}; clock: "
            f"{distinct(map(_clock, machines))}; others' share of the cores, before: "
            f"{distinct(map(_before, machines))}, meanwhile: {distinct(map(_meanwhile, machines))}; "
            f"load average: {distinct(map(_load, machines))}. Each value once that processes found."
        )
        decoders = distinct(one.decoder or "nothing that says so" for one in machines)
        yield f"Clips are opened by: {decoders}."
        yield _timer(bench)


def _timer(bench: Bench) -> str:
    overhead = max(one.timer_overhead_us for one in bench.record.machines)
    medians = [one.times.median for found in bench.found.values() for one in found.values()]
    share = f", {100 * overhead / 1e3 / min(medians):.2g}% of the smallest median" if medians else ""
    return f"Timing a call that does nothing takes up to {three_digits(overhead)} µs{share}."


def _cores(machine: MachineState) -> str:
    return " ".join(map(str, machine.affinity)) or "not readable"


def _clock(machine: MachineState) -> str:
    return "not readable" if machine.clock_mhz is None else f"{machine.clock_mhz:.0f} MHz"


def _before(machine: MachineState) -> str:
    return f"{100 * machine.others_share:.0f}%"


def _meanwhile(machine: MachineState) -> str:
    share = machine.others_share_meanwhile
    return "not known" if share is None else f"{100 * share:.0f}%"


def _load(machine: MachineState) -> str:
    return "not readable" if machine.load_average is None else f"{machine.load_average:.2g}"


def _origin(record: BenchRecord) -> str:
    where = record.environment
    versions = ", ".join(f"{name} {version}" for name, version in sorted(where.versions.items()))
    return (
        f"Code {where.code_revision}; {where.cpu}, {where.cores} cores, accelerator "
        f"{where.accelerator}, {where.platform}, Python {where.python}{versions and ', '}{versions}."
    )
