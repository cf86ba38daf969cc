"""What every reader shares: checks, hashes, padding, scaling."""
