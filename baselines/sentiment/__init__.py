"""Sentiment baselines: one score a clip, from any of text, vision and audio."""
