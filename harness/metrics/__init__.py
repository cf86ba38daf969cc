"""Metric protocols: scores in, named numbers out."""
