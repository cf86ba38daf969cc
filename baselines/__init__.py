"""Baselines: models that published work compares with."""
