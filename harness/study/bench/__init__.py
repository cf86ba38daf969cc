"""What using the arms of a study costs, measured side by side."""
