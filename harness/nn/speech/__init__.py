"""Networks that hear speech, through transformers: its steps as vectors, and its words."""
