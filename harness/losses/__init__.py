"""Losses: one file each, over a model's outputs and a frozen teacher's advice."""
