"""Building blocks that teachers, students and baselines share."""
