"""How a claim is looked up by its name."""

import hashlib


def key_of(name: str) -> str:
    """What stands for the name in an index: of a fixed length, and the same in any collation."""
    return hashlib.sha256(name.encode()).hexdigest()
