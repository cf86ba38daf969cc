"""The rule by which a validation split is cut from train."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.spec import BadInput

RULE = "hashed_groups_by_class"

Sizes = Mapping[int, int]
"""Class index to a number of clips."""


def held_out(
    groups: Sequence[str], labels: NDArray[np.int64], names: Sequence[str], share: float, seed: int
) -> NDArray[np.bool_]:
    """(N,) True for the training clips that are held out to validate.

    Groups are held out whole. Of each class, the rarest first, groups in the order of their hashes are
    held out as long as no class passes its quota, which is `share` of its clips, rounded, at least one
    and never all; if none fits, the smallest is, so that each class has a clip on either side. The hash
    is of the rule's name, the seed and the group's id: the order of the clips changes nothing, nor does
    a new group of one class the order of the others.

    Not scikit-learn's StratifiedGroupKFold: what it puts where depends on the order of the rows.

    Args:
        groups: N ids of what must not be cut, such as a video.
        labels: (N,) class indices.
        names: K names of classes, for the message.
        share: between 0 and 1.
        seed: another one holds out others.

    Raises:
        BadInput: a class has no group that can be held out, such as one clip in all.
    """
    sizes: dict[str, Counter[int]] = {}
    for group, label in zip(groups, labels.tolist(), strict=True):
        sizes.setdefault(group, Counter())[label] += 1
    total = Counter(labels.tolist())
    order = sorted(sizes, key=lambda group: _hash(group, seed))
    taken = _taken({group: sizes[group] for group in order}, total, share, names)
    return np.array([group in taken for group in groups])


def _taken(
    sizes: Mapping[str, Sizes], total: Sizes, share: float, names: Sequence[str]
) -> frozenset[str]:
    """The groups that are held out, of groups in the order of their hashes."""
    quota = {label: min(count - 1, max(1, round(share * count))) for label, count in total.items()}
    taken: set[str] = set()
    held: Counter[int] = Counter()
    for label in sorted(total, key=lambda label: (total[label], label)):
        own = [group for group in sizes if label in sizes[group] and group not in taken]
        for group in own:
            if _within(sizes[group], held, quota):
                taken.add(group)
                held.update(sizes[group])
        if not held[label]:
            group = _smallest(own, sizes, held, total, names[label])
            taken.add(group)
            held.update(sizes[group])
    return frozenset(taken)


def _smallest(
    own: Sequence[str], sizes: Mapping[str, Sizes], held: Sizes, total: Sizes, name: str
) -> str:
    """The smallest group that leaves a training clip of each of its classes, the first by its hash."""
    most = {label: count - 1 for label, count in total.items()}
    fitting = [group for group in own if _within(sizes[group], held, most)]
    if not fitting:
        raise BadInput(
            f"class '{name}' has {len(own)} groups of clips in train, none of which can be held out to "
            "validate and leave a training clip of each class; expected at least two",
            key="validation",
        )
    return min(fitting, key=lambda group: sum(sizes[group].values()))


def _within(size: Sizes, held: Sizes, limit: Sizes) -> bool:
    return all(held.get(label, 0) + count <= limit[label] for label, count in size.items())


def _hash(group: str, seed: int) -> bytes:
    return hashlib.sha256(f"{RULE}/{seed}/{group}".encode()).digest()
