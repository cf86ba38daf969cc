"""The CLIP teacher's parts: towers through open_clip, and what the method adds to them."""
