"""Searches: what is tried, who proposes it, what is kept of it; Optuna is known here only."""
