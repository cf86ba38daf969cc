"""MulT against its equations in plain torch."""
