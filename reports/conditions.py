"""The machine of a trial and the conditions of its latency, in words."""

from __future__ import annotations

from harness.spec import TrialResult


def hardware(result: TrialResult) -> str:
    """The machine in words, without its software."""
    where = result.environment
    return f"{where.cpu}, {where.cores} cores, {where.threads} threads, accelerator {where.accelerator}"


def latency_condition(result: TrialResult) -> str | None:
    """Under which conditions the trial's latency was measured, in words; None where it was not."""
    if result.efficiency is None:
        return None
    where, latency = result.environment, result.efficiency.latency
    machine = where.cpu if latency.device == "cpu" else where.accelerator
    return (
        f"{machine}, device {latency.device}, {latency.intra_threads} intra-op and "
        f"{latency.inter_threads} inter-op threads, precision {result.spec.precision}, "
        f"batch {latency.batch_size}{_beside(latency.neighbours)}"
    )


def _beside(neighbours: int) -> str:
    if not neighbours:
        return ""
    others = f"{neighbours} other trial" + ("s" if neighbours > 1 else "")
    return f", while up to {others} ran on the machine, which makes it longer"
