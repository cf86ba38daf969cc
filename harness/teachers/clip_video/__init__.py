"""The teacher `clip_video`: its configuration, the two routes by which it sees a clip, the model."""
