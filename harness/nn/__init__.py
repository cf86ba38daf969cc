"""Building blocks that teachers, students, baselines and losses share."""
