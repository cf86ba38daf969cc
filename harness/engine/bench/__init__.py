"""What using models costs, measured in fresh processes: one row alone, and all of them side by side."""
