"""Data sets: each module reads or makes one and registers it."""
