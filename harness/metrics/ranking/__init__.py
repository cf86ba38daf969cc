"""Rankings of a gallery and their average precision: exact, a block of queries at a time, NumPy only."""
