"""What a trained model costs: parameters and latency."""
