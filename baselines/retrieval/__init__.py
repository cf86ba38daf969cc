"""Baselines of audio-visual retrieval: sound and pictures in one space."""
