"""Back ends: what runs the forward pass of a trained model."""
