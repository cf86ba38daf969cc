"""The teacher `match_score`: its configuration, how it sees a clip, what it says of pairs, the model."""
