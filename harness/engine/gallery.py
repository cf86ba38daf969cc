"""Whether the clips of a split make a gallery, in which something can be found or not."""

from __future__ import annotations

from harness.spec import BadInput
from harness.types import Dataset

EVALUATED = ("valid", "test")


def check_galleries(data: Dataset) -> None:
    """Refuses to retrieve among fewer than two clips: whatever the model, each finds itself.

    Raises:
        BadInput: a data set of retrieval has one clip to validate or to test on.
    """
    if data.info.task != "retrieval":
        return
    for split in EVALUATED:
        if len(getattr(data, split)) < 2:
            raise BadInput(
                f"one clip in {split}, which is all that its sound can find: mAP is 1 whatever the "
                "model; expected at least two"
            )


def absent_classes(data: Dataset) -> tuple[str, ...]:
    """A line for each of these splits that lacks a class of retrieval: nothing there looks for it."""
    if data.info.task != "retrieval":
        return ()
    lines = []
    for split in EVALUATED:
        there = set(getattr(data, split).target.tolist())
        absent = [name for index, name in enumerate(data.info.classes) if index not in there]
        if absent:
            names = f"class{'es' if len(absent) > 1 else ''} {', '.join(absent)}"
            lines.append(f"no clip of {names} in {split}: its mAP is over the other classes")
    return tuple(lines)
