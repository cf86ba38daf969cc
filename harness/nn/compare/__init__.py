"""Comparing a student's outputs with a teacher's: distances, levels, projections."""
