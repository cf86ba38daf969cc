"""Scores and labels to numbers, under the published protocols; NumPy in, no torch."""
