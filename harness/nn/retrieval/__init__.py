"""What models of audio-visual retrieval are made of."""
