"""Dealing groups into parts, so that each part has its share of every class."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

RULE = "dealt by class in whole objects"
"""What the rule of `deal` is called in findings and footnotes."""


def deal(groups: Sequence[str], classes: Sequence[str], parts: int) -> dict[str, int]:
    """The part in [0, parts) of each group; a group is never cut.

    The rule `RULE`: class by class, groups with more clips come first, those of
    one size in the order of the SHA-256 of their names; each goes to the part that has the fewest
    clips of its class so far, among those to the one with the fewest clips, among those to the first.
    A group belongs to the class of most of its clips. Nothing but names and counts enters.

    Args:
        groups: the group of each clip.
        classes: the class of each clip, in the same order.
        parts: how many.
    """
    size = Counter(groups)
    home = _homes(groups, classes)
    of_class: Counter[tuple[str, int]] = Counter()
    total: Counter[int] = Counter()
    found: dict[str, int] = {}
    for group in sorted(size, key=lambda name: (home[name], -size[name], _hash(name))):
        kind = home[group]
        part = min(range(parts), key=lambda each: (of_class[kind, each], total[each], each))
        found[group] = part
        of_class[kind, part] += size[group]
        total[part] += size[group]
    return found


def _homes(groups: Sequence[str], classes: Sequence[str]) -> Mapping[str, str]:
    """The class of most clips of each group, of equals the first by name."""
    votes: dict[str, Counter[str]] = {}
    for group, kind in zip(groups, classes, strict=True):
        votes.setdefault(group, Counter())[kind] += 1
    return {group: min(count, key=lambda kind: (-count[kind], kind)) for group, count in votes.items()}


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
