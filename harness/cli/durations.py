"""Times as people say them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """In the two largest units, such as ``35 s``, ``4 min 12 s``, ``3 h 5 min`` and ``2 d 7 h``."""
    whole = max(0, round(seconds))
    sizes = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in sizes:
        count, whole = divmod(whole, size)
        parts.append((count, unit))
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(
        f"{count} {unit}" for count, unit in parts[first : first + 2] if count or unit == parts[first][1]
    )
