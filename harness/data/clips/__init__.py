"""Reading video clips: their labels, their media, features computed from both."""
