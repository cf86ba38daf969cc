"""Reading feature pickles, without running what they hold."""
