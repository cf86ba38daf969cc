"""What a model costs when it is used: parameters and model-only latency."""
