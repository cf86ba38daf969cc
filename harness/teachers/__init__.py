"""Teachers: multimodal models whose outputs advise a student."""
