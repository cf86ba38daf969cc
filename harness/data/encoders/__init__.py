"""Encoders: what turns the sound or the picture of a clip into one vector."""
