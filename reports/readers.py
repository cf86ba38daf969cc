"""Which modalities the arms of a table read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec import MODALITIES, MODALITY_OF, Modality

if TYPE_CHECKING:
    from reports.collect import Records


def modalities_of(records: Records, arm: str) -> tuple[Modality, ...]:
    """What the arm's models read, as their records say; empty where none does."""
    read = {MODALITY_OF[view] for seen in records.of(arm) if seen.result for view in seen.result.views}
    return tuple(one for one in MODALITIES if one in read)


def only_modality(records: Records, arm: str) -> str:
    """The one modality that the arm reads; empty where it reads several, or nobody knows.

    A student without a record of what it reads counts as one of text: older records have none, and
    their students read nothing else.
    """
    read = modalities_of(records, arm)
    if not read:
        return "text" if records.of(arm)[0].spec.role == "student" else ""
    return read[0] if len(read) == 1 else ""
