"""A study: load its file, expand it into trials, run what is missing."""
