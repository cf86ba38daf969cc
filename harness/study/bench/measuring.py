"""Who is asked for what: a process for each row, then some for all rows, unless answers are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.engine.bench.alone import refused
from harness.engine.bench.order import Alone, Order, Together
from harness.spec import BenchSettings
from harness.study.bench.kept import Kept
from harness.study.bench.processes import MeasurementFault, Processes


@dataclass(frozen=True)
class Measured:
    """What the processes found.

    Attributes:
        alone: of each row by its name, what a process found that had it for itself.
        together: what each process found that timed all rows that were not refused.
        notes: what every row has to say.
        gone_on_from: how many of the answers an interrupted bench left.
    """

    alone: dict[str, Alone]
    together: tuple[Together, ...]
    notes: tuple[str, ...]
    gone_on_from: int


@dataclass
class Measuring:
    """One bench on its way.

    Attributes:
        processes: who is asked.
        kept: answers that are there already, and where new ones go.
        say: is told what is measured next.
        gone_on_from: how many answers were there.
    """

    processes: Processes
    kept: Kept
    say: Callable[[str], None]
    gone_on_from: int = 0

    def measured(self, order: Order, compared_with: str) -> Measured:
        """Each row alone, then all together that nothing refused.

        Raises:
            MeasurementFault: the row that ratios are to was refused, or a process that timed all failed.
        """
        alone = self._each(order)
        if reason := alone[compared_with].row.refused:
            raise MeasurementFault(f"'{compared_with}', which ratios are to: {reason}")
        timed = tuple(row for row in order.entrants if not alone[row.name].row.refused)
        together = self._all(replace(order, entrants=timed))
        return Measured(alone, together, _busy(together, order.settings), self.gone_on_from)

    def _each(self, order: Order) -> dict[str, Alone]:
        """By row what a process found that had it for itself; a process that died refuses its row.

        What eager cannot run, no other back end is asked for: there is nothing to check it against.
        """
        found: dict[str, Alone] = {}
        without_eager: dict[str, str] = {}
        for number, row in enumerate(order.entrants, 1):
            if row.arm in without_eager:
                found[row.name] = refused(row, without_eager[row.arm])
                continue
            material = {row.spec.data: order.material[row.spec.data]}
            one = replace(order, entrants=(row,), material=material)
            found[row.name] = self._alone(one, f"{row.name} alone ({number} of {len(order.entrants)})")
            if row.is_eager and found[row.name].row.refused:
                without_eager[row.arm] = f"'{row.name}', which it is checked against, was refused"
        return found

    def _alone(self, order: Order, words: str) -> Alone:
        if (there := self.kept.alone(order)) is not None:
            self._goes_on(words)
            return there
        self.say(words)
        try:
            found = self.processes.alone(order)
        except MeasurementFault as fault:
            # Not kept: it may have been memory that somebody else needed.
            return refused(order.entrants[0], str(fault))
        self.kept.keep_alone(order, found)
        return found

    def _all(self, order: Order) -> tuple[Together, ...]:
        count = order.settings.processes
        return tuple(
            self._together(
                replace(order, number=number),
                f"all rows side by side, process {number + 1} of {count}",
            )
            for number in range(count)
        )

    def _together(self, order: Order, words: str) -> Together:
        if (there := self.kept.together(order)) is not None:
            self._goes_on(words)
            return there
        self.say(words)
        found = self.processes.together(order)
        busy = _busy([found], order.settings)
        for warning in busy:
            self.say(f"{warning}: these times are too long, and the rows will say so")
        if not busy:
            self.kept.keep_together(order, found)
        return found

    def _goes_on(self, words: str) -> None:
        self.gone_on_from += 1
        self.say(f"{words}: measured before this bench was interrupted")


def _busy(found: Sequence[Together], settings: BenchSettings) -> tuple[str, ...]:
    """What every row has to say of a machine on which others worked too."""
    share = max(one.machine.largest_others_share for one in found)
    if share <= settings.busy_share:
        return ()
    return (f"BUSY: others used {share:.0%} of the cores",)
